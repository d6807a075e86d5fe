"""What a student handed in, made into the cells that were released with the student's work in them."""
