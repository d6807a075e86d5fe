"""Grades for others: tables of our own, and the files of learning management systems, filled."""
