# %% + after:setup
for line in range(20_000):
    print("line", line, "of a table that nobody reads, and that goes on and on")
