"""Whole models, made of the layers in `core` and `text`."""
