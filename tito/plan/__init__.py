"""What a test cell means, from source alone: its sections, what they read and bind, and how each is judged."""
