"""Pages that students read after grading: one self-contained file for each notebook, without a script in it."""
