"""What happens to a module before students see it: gates, release, export."""
