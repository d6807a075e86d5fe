"""A person's server. The images of servers hold this folder, and not the rest of the hub."""
