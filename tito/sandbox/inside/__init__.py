"""All of ours that is mounted where student code runs. Imports nothing but itself."""
