"""Other names for the optimization tier, where newer states of the public course keep it."""
