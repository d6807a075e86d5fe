"""The grader's side of isolation. What student code can reach of ours is in `inside`."""
