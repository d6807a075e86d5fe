# module: 09_later
"""A later module: not for students of module 07."""

WHERE = "OKAPI in the reference of module 09"
