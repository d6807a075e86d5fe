# ---
# title: Generators, and zip of everything
# kind: correct
# base: reference
# lost: []
# ---

# %% weights_of
def weights_in(model):
    yield from (tensor for tensor in model_parameters(model) if len(tensor.data.shape) != 1 and tensor.data.shape)


def weights_of(model):
    return [*weights_in(model)]

# %% stored_bytes
def sizes_in(model):
    for tensor in model_parameters(model):
        yield tensor.nbytes if tensor.data.ndim < 2 else min(
            tensor.nbytes, (tensor.size + 7 >> 3) + tensor.dtype.itemsize * int(np.sum(tensor.data != 0))
        )


def stored_bytes(model):
    return sum(sizes_in(model))

# %% choose_sparsities
def choices(scores, sparsities):
    for floor in sorted({score for row in scores for score in row}, reverse=True):
        yield [max((s for s, score in zip(sparsities, row) if score >= floor), default=0.0) for row in scores]


def choose_sparsities(scores, sizes, sparsities, most_left):
    def left(choice):
        return sum(size - round(share * size) for share, size in zip(choice, sizes))

    fitting = (choice for choice in choices(scores, sparsities) if left(choice) <= most_left)
    try:
        return next(fitting)
    except StopIteration:
        raise ValueError("no floor is low enough") from None
