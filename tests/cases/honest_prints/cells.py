# %% total
def total(values):
    print("total of", values)
    return float(sum(values))

# %% running
def running(values):
    print("DEBUG", values, flush=True)
    out = []
    for value in values:
        out.append(float(value) + (out[-1] if out else 0))
        print(out)
    return out
