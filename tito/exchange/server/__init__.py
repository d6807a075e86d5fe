"""The exchange itself: its store, its tables, its rules, and the service around them."""
