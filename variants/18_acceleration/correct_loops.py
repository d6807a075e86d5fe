# ---
# title: Loops and plain steps
# kind: correct
# base: reference
# lost: []
# ---

# %% vectorized_matmul
def vectorized_matmul(a, b):
    left = a.data
    right = b.data
    if left.ndim < 2:
        raise ValueError("the first factor is no matrix")
    if right.ndim < 2:
        raise ValueError("the second factor is no matrix")
    product = np.matmul(left, right)  # which refuses inner lengths that differ
    return Tensor(product)

# %% blocks
def blocks(length, size):
    ### EQUIVALENT 32a9127e by cuts: a range refuses steps of 0 as well, by the same kind of error
    if size < 1:
        raise ValueError("a block needs a place")
    pieces = []
    for start in range(0, length, size):
        stop = min(start + size, length)
        pieces.append(slice(start, stop))
    return pieces

# %% multiply_tiles
def multiply_tiles(a, b, out, tile_size):
    n = a.shape[0]
    inner = a.shape[1]
    m = b.shape[1]
    rows = blocks(n, tile_size)
    columns = blocks(m, tile_size)
    middles = blocks(inner, tile_size)
    for column in columns:
        for row in rows:
            total = None
            for middle in middles:
                left = a[row, middle]
                right = b[middle, column]
                product = np.dot(left, right)
                if total is None:
                    total = product
                else:
                    total = total + product
            out[row, column] = total

# %% im2col
def im2col(images, kernel_size, stride=(1, 1), padding=(0, 0)):
    n, channels, height, width = images.shape
    out_h, out_w = window_places((height, width), kernel_size, stride, padding)
    framed = np.pad(images, ((0, 0), (0, 0), (padding[0], padding[0]), (padding[1], padding[1])))
    columns = np.zeros((n, channels * kernel_size[0] * kernel_size[1], out_h * out_w), dtype=images.dtype)
    for i in range(out_h):
        for j in range(out_w):
            top = i * stride[0]
            left = j * stride[1]
            window = framed[:, :, top : top + kernel_size[0], left : left + kernel_size[1]]
            columns[:, :, i * out_w + j] = window.reshape(n, columns.shape[1])
    return columns

# %% conv2d_im2col
def conv2d_im2col(images, weight, bias=None, stride=(1, 1), padding=(0, 0)):
    kernels, channels, k_h, k_w = weight.shape
    n, _, height, width = images.shape
    columns = im2col(images, (k_h, k_w), stride, padding)
    out_h = (height + 2 * padding[0] - k_h) // stride[0] + 1
    out_w = (width + 2 * padding[1] - k_w) // stride[1] + 1
    flat = weight.reshape(kernels, channels * k_h * k_w)
    pictures = np.zeros((n, kernels, out_h, out_w), dtype=np.float32)
    for image in range(n):
        product = np.dot(flat, columns[image])
        if bias is not None:
            product = product + bias[:, None]
        pictures[image] = product.reshape(kernels, out_h, out_w)
    return pictures

# %% gelu_into
def gelu_into(x, out, xp=np):
    xp.multiply(x, x, out=out)
    xp.multiply(out, x, out=out)
    xp.multiply(out, GELU_CUBIC, out=out)
    xp.add(out, x, out=out)
    xp.multiply(out, GELU_SCALE, out=out)
    xp.tanh(out, out=out)
    xp.multiply(out, 0.5, out=out)
    xp.add(out, 0.5, out=out)
    xp.multiply(out, x, out=out)

# %% gelu_blocks
def gelu_blocks(x, size, xp=np):
    answers = xp.empty_like(x)
    for part in blocks(x.size, size):
        gelu_into(x[part.start : part.stop], answers[part.start : part.stop], xp)
    return answers

# %% mixed_matmul
def mixed_matmul(a, b):
    left = a.astype(np.float16)
    right = b.astype(np.float16)
    return np.matmul(left, right, dtype=np.float32)

# %% LossScaler
class LossScaler:
    def __init__(self, scale=2.0**16, patience=200, largest=2.0**24):
        self.scale = scale
        self.patience = patience
        self.largest = largest
        self.in_a_row = 0

    def unscale(self, gradients):
        results = []
        for gradient in gradients:
            result = np.array(gradient, dtype=np.float32)
            result /= self.scale
            results.append(result)
        return results

    def update(self, gradients):
        for gradient in gradients:
            if np.isnan(gradient).any() or np.isinf(gradient).any():
                self.in_a_row = 0
                self.scale = max(self.scale / 2, 1.0)
                return False
        self.in_a_row = self.in_a_row + 1
        if self.in_a_row == self.patience:
            self.in_a_row = 0
            self.scale = min(self.scale * 2, self.largest)
        return True

# %% mixed_precision_step
def mixed_precision_step(model, loss_fn, optimizer, scaler, x, y):
    for parameter in optimizer.params:
        parameter.grad = None
    predictions = model(x)
    loss = loss_fn(predictions, y)
    value = float(loss.data)
    scaled = loss * scaler.scale
    scaled.backward()
    gradients = []
    for parameter in optimizer.params:
        gradients.append(parameter.grad)
    unscaled = scaler.unscale(gradients)
    good = scaler.update(gradients)
    if good:
        for place in range(len(optimizer.params)):
            optimizer.params[place].grad = unscaled[place]
        optimizer.step()
    return value

# %% accelerate_model
def accelerate_model(model):
    count = 0
    for place in range(len(model.layers)):
        layer = model.layers[place]
        if isinstance(layer, Conv2d):
            model.layers[place] = AcceleratedConv2d(layer)
            count = count + 1
        if isinstance(layer, GELU):
            model.layers[place] = FusedGELU()
            count = count + 1
        inside = getattr(layer, "layers", None)
        if inside is not None:
            count = count + accelerate_model(layer)
    return count
