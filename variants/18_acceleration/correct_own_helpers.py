# ---
# title: Helpers of its own
# kind: correct
# base: reference
# lost: []
# ---

# %% vectorized_matmul
def fitting(a, b):
    """Whether two shapes are of matrices that can be multiplied."""
    return len(a) >= 2 and len(b) >= 2 and a[-1] == b[-2]


def vectorized_matmul(a, b):
    if not fitting(a.shape, b.shape):
        raise ValueError(f"no product of {a.shape} and {b.shape}")
    return a @ b

# %% blocks
def blocks(length, size):
    assert isinstance(length, int)
    if size < 1:
        raise ValueError(f"{size} is no size")
    count = -(-length // size)
    return [slice(number * size, min(length, number * size + size)) for number in range(count)]

# %% multiply_tiles
def tile_of_product(a, b, rows, columns, tile_size):
    """One tile: the products of the tiles on its row and column, added up."""
    total = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.float32)
    for middle in blocks(a.shape[1], tile_size):
        total += np.einsum("ik,kj->ij", a[rows, middle], b[middle, columns])
    return total


def multiply_tiles(a, b, out, tile_size):
    places = [(rows, columns) for rows in blocks(a.shape[0], tile_size) for columns in blocks(b.shape[1], tile_size)]
    for rows, columns in places:
        out[rows, columns] = tile_of_product(a, b, rows, columns, tile_size)

# %% im2col
def places_along(length, window, step, border):
    """For each pixel of a window and each place: which pixel of the padded image."""
    count = (length + 2 * border - window) // step + 1
    if length + 2 * border < window:
        raise ValueError("the window does not fit")
    return np.arange(window)[:, None] + step * np.arange(count)


def im2col(images, kernel_size, stride=(1, 1), padding=(0, 0)):
    n, channels, height, width = images.shape
    rows = places_along(height, kernel_size[0], stride[0], padding[0])
    columns = places_along(width, kernel_size[1], stride[1], padding[1])
    framed = np.pad(images, ((0, 0), (0, 0), (padding[0], padding[0]), (padding[1], padding[1])))
    gathered = framed[:, :, rows[:, None, :, None], columns[None, :, None, :]]
    return gathered.reshape(n, channels * rows.shape[0] * columns.shape[0], rows.shape[1] * columns.shape[1])

# %% conv2d_im2col
def conv2d_im2col(images, weight, bias=None, stride=(1, 1), padding=(0, 0)):
    window = weight.shape[2:]
    height, width = window_places(images.shape[2:], window, stride, padding)
    columns = im2col(images, window, stride, padding)
    flat = weight.reshape(weight.shape[0], -1)
    pictures = np.tensordot(columns, flat, axes=(1, 1)).transpose(0, 2, 1).reshape(len(images), -1, height, width)
    if bias is not None:
        pictures = pictures + bias[None, :, None, None]
    return np.ascontiguousarray(pictures)

# %% gelu_into
def inner_polynomial(x, out, xp):
    """out = sqrt(2/π) (x + 0.044715 x³)."""
    xp.multiply(x, x, out=out)
    xp.multiply(out, x, out=out)
    xp.multiply(out, GELU_CUBIC, out=out)
    xp.add(x, out, out=out)
    xp.multiply(out, GELU_SCALE, out=out)


def gelu_into(x, out, xp=np):
    inner_polynomial(x, out, xp)
    xp.tanh(out, out=out)
    xp.add(out, 1, out=out)
    xp.multiply(out, 0.5, out=out)
    xp.multiply(x, out, out=out)

# %% gelu_blocks
def gelu_blocks(x, size, xp=np):
    out = xp.empty_like(x)
    pairs = [(x[part], out[part]) for part in blocks(x.shape[0], size)]
    for source, target in pairs:
        gelu_into(source, target, xp)
    return out

# %% mixed_matmul
def rounded(values):
    """As float16 stores it, in float32."""
    return np.asarray(values, dtype=np.float16).astype(np.float32)


def mixed_matmul(a, b):
    return np.matmul(rounded(a), rounded(b))

# %% LossScaler
class LossScaler:
    def __init__(self, scale=2.0**16, patience=200, largest=2.0**24):
        self.scale = float(scale)
        self.patience = patience
        self.largest = largest
        self.left = patience

    def unscale(self, gradients):
        return [self._smaller(gradient) for gradient in gradients]

    def _smaller(self, gradient):
        return np.divide(gradient, self.scale, dtype=np.float32)

    def update(self, gradients):
        finite = all(np.all(np.isfinite(gradient)) for gradient in gradients)
        self.left = self.left - 1 if finite else self.patience
        if not finite:
            self.scale = max(self.scale / 2.0, 1.0)
        if self.left == 0:
            self.scale, self.left = min(self.scale * 2.0, self.largest), self.patience
        return finite

# %% mixed_precision_step
def scaled_backward(model, loss_fn, x, y, scale):
    loss = loss_fn(model(x), y)
    (loss * scale).backward()
    return float(loss.data)


def mixed_precision_step(model, loss_fn, optimizer, scaler, x, y):
    optimizer.zero_grad()
    value = scaled_backward(model, loss_fn, x, y, scaler.scale)
    unscaled = scaler.unscale([parameter.grad for parameter in optimizer.params])
    if not scaler.update(unscaled):
        return value
    for parameter, gradient in zip(optimizer.params, unscaled):
        parameter.grad = gradient
    optimizer.step()
    return value

# %% accelerate_model
def quick_twin(layer):
    """A quick layer in the place of this one; None where it stays."""
    if isinstance(layer, Conv2d):
        return AcceleratedConv2d(layer)
    return FusedGELU() if isinstance(layer, GELU) else None


def accelerate_model(model):
    count = 0
    for place, layer in enumerate(list(model.layers)):
        twin = quick_twin(layer)
        if twin is not None:
            model.layers[place] = twin
            count += 1
        elif hasattr(layer, "layers"):
            count += accelerate_model(layer)
    return count
