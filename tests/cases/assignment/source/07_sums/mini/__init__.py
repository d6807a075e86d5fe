"""The course's package."""
