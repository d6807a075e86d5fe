# %% smoothed
import tempfile


def smoothed(values):
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "values.npy", as_floats(values))
        as_array = np.load(Path(folder) / "values.npy")
    with tempfile.NamedTemporaryFile() as file:
        file.write(((as_array[:-2] + as_array[1:-1] + as_array[2:]) / 3).tobytes())
        file.flush()
        return np.frombuffer(Path(file.name).read_bytes())
