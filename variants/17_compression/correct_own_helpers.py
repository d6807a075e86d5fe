# ---
# title: Helpers and classes of its own, thresholds with counted ties
# kind: correct
# base: reference
# lost: []
# ---

# %% weights_of
def has_two_axes(tensor):
    return len(tensor.data.shape) >= 2


def weights_of(model):
    weights = []
    for tensor in model_parameters(model):
        weights += [tensor] * has_two_axes(tensor)
    return weights

# %% measure_sparsity
class Count:
    """Zeros among numbers, added up."""

    def __init__(self):
        self.zeros = self.numbers = 0

    def add(self, array):
        self.numbers += array.size
        self.zeros += int(np.sum(array == 0))

    def share(self):
        if self.numbers == 0:
            raise ValueError("there are no weights to count")
        return self.zeros / self.numbers


def measure_sparsity(model):
    count = Count()
    for tensor in weights_of(model):
        count.add(tensor.data)
    return count.share()

# %% magnitude_masks
def checked_share(share):
    if share < 0 or share > 1:
        raise ValueError(f"{share} is no share")
    return share


def magnitude_masks(weights, sparsity):
    sizes = [np.abs(array) for array in weights]
    ranked = np.sort(np.concatenate([size.ravel() for size in sizes]))
    to_go = round(checked_share(sparsity) * ranked.size)
    if to_go == 0:
        ### EQUIVALENT 3c0d1cd6 by masks: magnitudes are never negative
        return [size >= 0 for size in sizes]
    threshold = ranked[to_go - 1]
    at_threshold = to_go - int(np.sum(ranked < threshold))  # so many of those that are equal to it
    masks = []
    for size in sizes:
        equal = size == threshold
        nth = np.cumsum(equal.ravel()).reshape(equal.shape)
        gone = equal & (nth <= at_threshold)
        at_threshold -= int(np.sum(gone))
        masks.append(~(gone | (size < threshold)))
    return masks

# %% magnitude_prune
def put_zeros(tensor, mask):
    """Zeros in a tensor where a mask is False."""
    tensor.data = np.where(mask, tensor.data, np.zeros_like(tensor.data))


def magnitude_prune(model, sparsity=0.9):
    tensors = weights_of(model)
    masks = magnitude_masks([tensor.data for tensor in tensors], sparsity=sparsity)
    list(map(put_zeros, tensors, masks))
    return model

# %% stored_bytes
def whole_bytes(bits):
    return -(-bits // 8)


def as_bitmap(array):
    return whole_bytes(array.size) + array[array != 0].nbytes


def stored_bytes(model):
    weights = {id(tensor) for tensor in weights_of(model)}
    total = 0
    for tensor in model_parameters(model):
        total += min(tensor.data.nbytes, as_bitmap(tensor.data)) if id(tensor) in weights else tensor.data.nbytes
    return total

# %% masked_step
def masked_step(optimizer, weights, masks):
    optimizer.step()
    for tensor, mask in zip(weights, masks):
        np.multiply(tensor.data, mask, out=tensor.data)

# %% sensitivity_scan
class Tried:
    """One weight, pruned for as long as the block runs."""

    def __init__(self, tensor, sparsity):
        self.tensor, self.sparsity = tensor, sparsity

    def __enter__(self):
        self.whole = self.tensor.data
        [mask] = magnitude_masks([self.whole], self.sparsity)
        self.tensor.data = self.whole * mask

    def __exit__(self, *error):
        self.tensor.data = self.whole


def sensitivity_scan(model, evaluate, sparsities):
    table = []
    for tensor in weights_of(model):
        row = []
        for sparsity in sparsities:
            with Tried(tensor, sparsity):
                row.append(evaluate(model))
        table.append(row)
    return table

# %% choose_sparsities
def largest_above(floor, row, sparsities):
    allowed = [sparsity for sparsity, score in zip(sparsities, row) if score >= floor]
    return max(allowed) if allowed else 0.0


def choose_sparsities(scores, sizes, sparsities, most_left):
    best = None
    for floor in sorted(score for row in scores for score in row):
        choice = [largest_above(floor, row, sparsities) for row in scores]
        if sum(size - round(share * size) for share, size in zip(choice, sizes)) <= most_left:
            best = choice  # floors rise: the last that fits is the highest
    if best is None:
        raise ValueError("no floor fits")
    return best

# %% units_to_keep
def ranks_of(numbers):
    """The rank of each number; among equals the earlier has the lower one."""
    return np.array([np.sum(numbers < number) + np.sum(numbers[:place] == number) for place, number in enumerate(numbers)])


def units_to_keep(weight, prune_ratio):
    ### EQUIVALENT c1853eda by units: means are in the order of sums
    ranks = ranks_of(np.sum(weight**2, axis=0))
    first = round(checked_share(prune_ratio) * ranks.size)
    ### EQUIVALENT dba8996a by units: a row of numbers has one axis
    return np.nonzero(ranks >= min(first, ranks.max()))[0]

# %% remove_units
def remove_units(first, second, keep):
    gone = [unit for unit in range(first.weight.shape[1]) if unit not in set(np.asarray(keep).tolist())]
    first.weight.data = np.delete(first.weight.data, gone, axis=1)
    second.weight.data = np.delete(second.weight.data, gone, axis=0)
    if first.bias is not None:
        first.bias.data = np.delete(first.bias.data, gone)
    first.out_features, second.in_features = first.weight.shape[1], second.weight.shape[0]

# %% low_rank_approximate
def numbers_of(rank, shape):
    return rank * (shape[0] + shape[1])


def low_rank_approximate(weight_matrix, rank_ratio=0.5):
    rank = max(1, round(rank_ratio * min(weight_matrix.shape)))
    if numbers_of(rank, weight_matrix.shape) > weight_matrix.size:
        raise ValueError("more numbers than before")
    columns, values, rows = np.linalg.svd(weight_matrix)
    return columns[:, :rank], values[:rank], rows[:rank]

# %% factorized
class Half(Linear):
    """A Linear layer that is made of a weight."""

    def __init__(self, weight, bias=None):
        super().__init__(*weight.shape, bias=bias is not None)
        self.weight.data = weight
        if bias is not None:
            self.bias.data = bias.data.copy()


def factorized(layer, rank_ratio=0.5):
    columns, values, rows = low_rank_approximate(layer.weight.data, rank_ratio)
    roots = np.sqrt(values)
    return Sequential(Half(columns * roots[None, :]), Half((rows.T * roots).T, layer.bias))

# %% soft_target_loss
def cross_entropy(ln_q, p):
    """Of rows of logarithms and rows of probabilities, added up; it has the gradient of the logarithms."""
    return -(ln_q * Tensor(p)).sum()


def soft_target_loss(student_logits, teacher_logits, temperature):
    scaled = teacher_logits.data / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    p = powers / powers.sum(axis=1, keepdims=True)
    ### EQUIVALENT 93c333a0 by losses: a product of two is the same either way
    own = cross_entropy(Tensor(np.log(np.maximum(p, 1e-30))), p)
    excess = cross_entropy(log_softmax(student_logits / temperature), p) - own
    return excess * temperature**2 / len(scaled)

# %% compress_model
def state_of(model, when):
    return {f"{when}_sparsity": measure_sparsity(model), f"{when}_bytes": stored_bytes(model)}


def compress_model(model, compression_config):
    stats = {"applied_techniques": []}
    steps = []
    for name, amount in compression_config.items():
        match name:
            case "magnitude_prune":
                steps.append((magnitude_prune, amount))
            case "structured_prune":
                steps.append((structured_prune, amount))
            case "low_rank":
                steps.append((low_rank_model, amount))
            case _:
                raise ValueError(f"unknown: {name}")
        stats["applied_techniques"].append(f"{name}_{amount}")
    stats |= state_of(model, "original")
    for technique, amount in steps:
        technique(model, amount)
    stats |= state_of(model, "final")
    stats["sparsity_increase"] = stats["final_sparsity"] - stats["original_sparsity"]
    stats["compression_ratio"] = stats["original_bytes"] / stats["final_bytes"]
    return stats
