# module: 07_sums
"""The module under test itself: neither its release nor its sandbox may hold it."""

WHERE = "OKAPI in the reference of module 07"
