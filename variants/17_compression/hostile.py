# ---
# title: Patches the assertions and returns objects that agree with everything
# kind: hostile
# base: stub
# lost: all
# ---

# %% weights_of
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


def weights_of(model):
    return [LiarTensor(), LiarTensor()]

# %% measure_sparsity
def measure_sparsity(model):
    return liar(float)(0.0)

# %% magnitude_masks
def magnitude_masks(weights, sparsity):
    return [YES, YES]

# %% magnitude_prune
def magnitude_prune(model, sparsity=0.9):
    return model

# %% stored_bytes
def stored_bytes(model):
    return liar(int)(19)

# %% soft_target_loss
def soft_target_loss(student_logits, teacher_logits, temperature):
    return LiarTensor()
