# %% + after:setup
print("a line", ["," * 2_000 for _ in range(1)])
for _ in range(60):
    print("," * 2_170)
