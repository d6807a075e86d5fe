"""When work is due and what it is worth then: the policy of a course, as data, and what follows from it."""
