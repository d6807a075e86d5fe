# %% + after:setup
%precision 3
%timeit -n 2 -r 2 sum(range(10))
%time sum(range(10))

# %% + after:setup
%%timeit -n 2 -r 2
sum(range(10))

# %% running
%%time
def running(values):
    made = []
    for value in values:
        made.append(float(value) + (made[-1] if made else 0.0))
    return made

# %% + after:test_running
measured = %timeit -n 1 -r 1 -o -q running([1, 2])
round(3.14159, 5)
