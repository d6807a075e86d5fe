"""Isolation of student code, and `runner`: the only code of ours that ever runs beside it."""
