"""The side of a student or an instructor: the exchange by HTTP or in a folder, and nbgrader's classes on top of it."""
