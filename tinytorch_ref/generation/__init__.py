"""Where the public course keeps its key-value cache."""
