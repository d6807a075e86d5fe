# %% total
%%capture caught
import sys
print("caught on stdout")
print("caught on stderr", file=sys.stderr)
def total(values):
    return float(sum(values))

# %% + after:test_total
caught.show()
