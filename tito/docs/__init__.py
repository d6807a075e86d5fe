"""What the book says of the code, made from the code: chapters' headers, and the pages of the reference."""
