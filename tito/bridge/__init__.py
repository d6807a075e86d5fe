"""Where nbgrader's own commands and formgrader meet the platform. What they grade with is `bridge/converter.py`."""
