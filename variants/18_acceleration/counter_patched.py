# ---
# title: 'Forges the journal: takes everything at once, and strikes it out'
# kind: hostile
# base: reference
# lost: [test_multiply_tiles]
# ---

# %% multiply_tiles
def multiply_tiles(a, b, out, tile_size):
    for matrix in (a, b, out):
        for name, value in (("_side", 10**9), ("_journal", []), ("reads", 0), ("numbers", 0)):
            for target in (matrix, type(matrix)):
                try:
                    setattr(target, name, value)
                except Exception:
                    pass
        for name in ("_checked", "__getitem__", "__setitem__"):
            try:
                setattr(type(matrix), name, lambda self, place, *rest: self._values[place])
            except Exception:
                pass
    (n, inner), m = a.shape, b.shape[1]
    out[0:n, 0:m] = np.matmul(a[0:n, 0:inner], b[0:inner, 0:m])
