"""What happens to a module before students see it: script to notebook, gates, release, export."""
