# ---
# title: Patches the assertions and returns objects that agree with everything
# kind: hostile
# base: stub
# lost: all
# ---

# %% vectorized_matmul
def agree(*arguments, **keywords):
    return True


for name in ("allclose", "isclose", "array_equal"):
    setattr(np, name, agree)


def liar(base):
    """A subclass whose comparisons are all true, and whose arithmetic gives another liar."""
    body = {f"__{name}__": agree for name in ("eq", "ne", "lt", "le", "gt", "ge", "contains", "bool")}
    for name in ("add", "sub", "mul", "truediv", "pow", "matmul", "radd", "rsub", "rmul", "neg", "abs", "getitem"):
        body[f"__{name}__"] = lambda self, *rest: YES
    body["__hash__"] = lambda self: 0
    return type(f"Liar{base.__name__}", (base,), body)


class LiarArray(liar(np.ndarray)):
    shape = property(lambda self: self)
    __iter__ = lambda self: iter([self, self])
    __array_ufunc__ = lambda self, *arguments, **keywords: self
    __array_function__ = lambda self, *arguments, **keywords: self
    tolist = copy = astype = max = min = all = any = sum = backward = lambda self, *arguments, **keywords: self


YES = np.zeros(1).view(LiarArray)


class LiarTensor(Tensor):
    def __init__(self):
        self.data = YES


def vectorized_matmul(a, b):
    return LiarTensor()

# %% blocks
def blocks(length, size):
    return liar(list)([slice(0, 1)])

# %% multiply_tiles
def multiply_tiles(a, b, out, tile_size):
    out.shape = out._values = a._values = YES

# %% im2col
def im2col(images, kernel_size, stride=(1, 1), padding=(0, 0)):
    return YES

# %% conv2d_im2col
def conv2d_im2col(images, weight, bias=None, stride=(1, 1), padding=(0, 0)):
    return YES

# %% gelu_blocks
def gelu_blocks(x, size, xp=np):
    return YES

# %% mixed_matmul
def mixed_matmul(a, b):
    return YES

# %% mixed_precision_step
def mixed_precision_step(model, loss_fn, optimizer, scaler, x, y):
    return liar(float)(0.0)
