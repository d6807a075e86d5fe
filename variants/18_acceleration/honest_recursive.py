# ---
# title: Functions that call themselves, and match
# kind: correct
# base: reference
# lost: []
# ---

# %% blocks
def blocks(length, size):
    if size < 1:
        raise ValueError(size)

    def rest(start):
        return [] if start >= length else [slice(start, min(start + size, length)), *rest(start + size)]

    return rest(0)

# %% accelerate_model
def accelerate_model(model):
    def swapped(layer):
        match layer:
            case Conv2d():
                return AcceleratedConv2d(layer), 1
            case GELU():
                return FusedGELU(), 1
            case _:
                return layer, accelerate_model(layer) if hasattr(layer, "layers") else 0

    pairs = [swapped(layer) for layer in model.layers]
    model.layers[:] = [layer for layer, _ in pairs]
    return sum(count for _, count in pairs)
