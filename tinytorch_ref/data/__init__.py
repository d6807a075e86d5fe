# module: 08_dataloader
"""Examples to learn from: datasets, batches, and a set of handwritten digits that ships with the package."""
