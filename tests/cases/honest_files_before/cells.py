# %% + after:setup
Path("factor.txt").write_text("3")
Path("/tmp/divisor.txt" if Path("/tmp").is_dir() else "divisor.txt").write_text("3")

# %% smoothed
def smoothed(values):
    as_array = as_floats(values)
    divisor = Path("/tmp/divisor.txt" if Path("/tmp").is_dir() else "divisor.txt").read_text()
    return (as_array[:-2] + as_array[1:-1] + as_array[2:]) / float(divisor) * float(Path("factor.txt").read_text()) / 3
