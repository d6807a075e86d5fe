# ---
# title: As short as numpy allows
# kind: correct
# base: reference
# lost: []
# ---

# %% vectorized_matmul
def vectorized_matmul(a, b):
    if min(a.data.ndim, b.data.ndim) < 2:
        raise ValueError(f"{a.shape} @ {b.shape}")
    return Tensor(a.data @ b.data)  # inner lengths that differ: numpy's own ValueError

# %% blocks
def blocks(length, size):
    if size <= 0:
        raise ValueError(size)
    edges = [*range(0, length, size), length]
    return [slice(*pair) for pair in zip(edges, edges[1:])]

# %% multiply_tiles
def multiply_tiles(a, b, out, tile_size):
    for r in blocks(a.shape[0], tile_size):
        for c in blocks(b.shape[1], tile_size):
            out[r, c] = sum(a[r, k] @ b[k, c] for k in blocks(a.shape[1], tile_size)).astype(np.float32)

# %% im2col
def im2col(images, kernel_size, stride=(1, 1), padding=(0, 0)):
    framed = np.pad(images, ((0, 0), (0, 0), *((border, border) for border in padding)))
    view = np.lib.stride_tricks.sliding_window_view(framed, kernel_size, (2, 3))[:, :, :: stride[0], :: stride[1]]
    n, c, h, w, *_ = view.shape
    return np.array(view.transpose(0, 1, 4, 5, 2, 3)).reshape(n, -1, h * w)

# %% conv2d_im2col
def conv2d_im2col(images, weight, bias=None, stride=(1, 1), padding=(0, 0)):
    o, c, *window = weight.shape
    places = window_places(images.shape[2:], tuple(window), stride, padding)
    product = np.einsum("ok,nkp->nop", weight.reshape(o, -1), im2col(images, tuple(window), stride, padding))
    return (product if bias is None else product + bias[:, None]).reshape(-1, o, *places)

# %% gelu_into
def gelu_into(x, out, xp=np):
    xp.multiply(x, x, out)
    xp.add(xp.multiply(out, GELU_SCALE * GELU_CUBIC, out), GELU_SCALE, out)
    xp.tanh(xp.multiply(out, x, out), out)
    xp.multiply(xp.multiply(xp.add(out, 1, out), x, out), 0.5, out)

# %% gelu_blocks
def gelu_blocks(x, size, xp=np):
    result = xp.empty_like(x)
    for part in blocks(len(x), size):
        gelu_into(x[part], result[part], xp=xp)
    return result

# %% mixed_matmul
def mixed_matmul(a, b):
    return np.matmul(np.float16(a), np.float16(b), dtype=np.float32)

# %% LossScaler
class LossScaler:
    def __init__(self, scale=2.0**16, patience=200, largest=2.0**24):
        self.scale, self.patience, self.largest, self.streak = scale, patience, largest, 0

    def unscale(self, gradients):
        return [np.multiply(gradient, 1 / self.scale, dtype=np.float32) for gradient in gradients]

    def update(self, gradients):
        good = bool(np.isfinite(np.concatenate([np.ravel(gradient) for gradient in gradients])).all())
        self.streak = (self.streak + 1) % self.patience if good else 0
        factor = 0.5 if not good else 2 if self.streak == 0 else 1
        self.scale = float(np.clip(self.scale * factor, 1, self.largest))
        return good

# %% mixed_precision_step
def mixed_precision_step(model, loss_fn, optimizer, scaler, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    (scaler.scale * loss).backward()
    gradients = scaler.unscale([p.grad for p in optimizer.params])
    for p, gradient in zip(optimizer.params, gradients):
        p.grad = gradient
    if scaler.update(gradients):
        optimizer.step()
    return loss.data.item()

# %% accelerate_model
def accelerate_model(model):
    quick = [(Conv2d, AcceleratedConv2d), (GELU, lambda layer: FusedGELU())]
    count = 0
    for place, layer in enumerate(model.layers):
        for kind, make in quick:
            if isinstance(layer, kind):
                model.layers[place] = make(layer)
                count += 1
    return count + sum(map(accelerate_model, (layer for layer in model.layers if hasattr(layer, "layers"))))
