"""From characters to vectors: tokenizers, a corpus to train them on, and embeddings."""
