# %% + after:setup
print("1 " * 60_000 + "the end" + " of the first")
# %% + after:setup
print("2 " * 90_000 + "the end" + " of the second")
