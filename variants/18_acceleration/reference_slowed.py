# ---
# title: Burns the other processor while the reference is timed, and counts in loops
# kind: hostile
# base: reference
# lost: [test_vectorized_matmul]
# ---

# %% vectorized_matmul
import threading


def burn():
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        sum(range(10_000))


BURNING = []


def vectorized_matmul(a, b):
    if len(a.shape) < 2 or len(b.shape) < 2 or a.shape[-1] != b.shape[-2]:
        raise ValueError("no product")
    if not BURNING and a.shape[-1] > 50:
        BURNING.append(threading.Thread(target=burn, daemon=True))
        BURNING[0].start()
    front = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    left = np.broadcast_to(a.data, front + a.shape[-2:])
    right = np.broadcast_to(b.data, front + b.shape[-2:])
    product = np.zeros((*front, a.shape[-2], b.shape[-1]), dtype=np.float32)
    for place in np.ndindex(product.shape):
        *stack, row, column = place
        product[place] = np.sum(left[(*stack, row)] * right[(*stack, slice(None), column)])
    return Tensor(product)
