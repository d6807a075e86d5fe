"""The course as it lies on disk: its settings, its modules as scripts, their cells, and what was handed in."""
