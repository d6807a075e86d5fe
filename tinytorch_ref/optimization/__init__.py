"""Making models smaller and faster: quantization, and what builds on it."""
