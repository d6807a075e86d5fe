# %% + after:setup
scratch = [1, 2, 3]
scratch

# %% + after:setup
print("I am trying things out")

# %% + after:total
assert total([1, 2]) == 3.0
total(range(10))

# %% + after:test_total
print("still here", total(scratch))

# %% + after:test_largest
print("the end")
