"""What a test cell means, from source: its sections, what they read and bind, and how each is judged."""
