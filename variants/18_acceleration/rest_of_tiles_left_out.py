# ---
# title: No tiles at the edges
# kind: wrong
# base: reference
# lost: [test_multiply_tiles]
# ---

# %% multiply_tiles
def multiply_tiles(a, b, out, tile_size):
    (n, inner), m, t = a.shape, b.shape[1], tile_size
    for i in range(0, n - n % t, t):
        for j in range(0, m - m % t, t):
            total = np.zeros((t, t), dtype=np.float32)
            for k in range(0, inner - inner % t, t):
                total += a[i : i + t, k : k + t] @ b[k : k + t, j : j + t]
            out[i : i + t, j : j + t] = total
