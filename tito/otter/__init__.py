"""A module as an autograder zip for Otter and Gradescope."""
