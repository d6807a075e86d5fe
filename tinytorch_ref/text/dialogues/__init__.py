# module: 10_tokenization
"""A corpus of short questions and answers, written for this course: see README.md beside this file."""
