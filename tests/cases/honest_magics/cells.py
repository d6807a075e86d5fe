# %% + after:setup
%matplotlib inline
%timeit -n 1 -r 1 sum(range(10))
!echo from the shell

# %% + after:setup
%%capture caught
print("captured")

# %% total
%%time
def total(values):
    return float(sum(values))

# %% + after:test_total
files = !ls
print(files)
