# module: 13_transformers
"""Weights of models that ship trained, and the scripts that trained them: see README.md beside this file."""
