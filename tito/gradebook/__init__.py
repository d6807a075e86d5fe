"""nbgrader's database, the verdict records beside it, and the grades with the late policy applied."""
