"""Comparing models: how fast, how small, how right, and how sure that is."""
