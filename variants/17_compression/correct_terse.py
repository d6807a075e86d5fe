# ---
# title: As short as numpy allows
# kind: correct
# base: reference
# lost: []
# ---

# %% weights_of
def weights_of(model):
    return list(filter(lambda tensor: np.ndim(tensor.data) >= 2, model_parameters(model)))

# %% measure_sparsity
def measure_sparsity(model):
    return float(np.concatenate([(weight.data == 0).ravel() for weight in weights_of(model)]).mean())  # of nothing: ValueError

# %% magnitude_masks
def magnitude_masks(weights, sparsity):
    if not 0.0 <= sparsity <= 1.0:
        raise ValueError(sparsity)
    row = np.concatenate([np.abs(weight).ravel() for weight in weights])
    stays, masks = np.argsort(np.argsort(row, kind="mergesort")) >= round(sparsity * row.size), []
    for weight in weights:
        masks.append(stays[: weight.size].reshape(weight.shape))
        stays = stays[weight.size :]
    return masks

# %% magnitude_prune
def magnitude_prune(model, sparsity=0.9):
    tensors = weights_of(model)
    for tensor, mask in zip(tensors, magnitude_masks([tensor.data for tensor in tensors], sparsity)):
        tensor.data[~mask] = 0
    return model

# %% stored_bytes
def stored_bytes(model):
    return sum(
        min(t.nbytes, -(-t.size // 8) + np.count_nonzero(t.data) * t.data.itemsize) if t.data.ndim > 1 else t.nbytes
        for t in model_parameters(model)
    )

# %% masked_step
def masked_step(optimizer, weights, masks):
    optimizer.step()
    for weight, mask in zip(weights, masks):
        weight.data *= mask

# %% sensitivity_scan
def sensitivity_scan(model, evaluate, sparsities):
    def score(tensor, whole, sparsity):
        (mask,) = magnitude_masks([whole], sparsity)
        tensor.data = whole * mask
        value = evaluate(model)
        tensor.data = whole
        return value

    return [[score(tensor, tensor.data, sparsity) for sparsity in sparsities] for tensor in weights_of(model)]

# %% choose_sparsities
def choose_sparsities(scores, sizes, sparsities, most_left):
    table, shares = np.asarray(scores), np.asarray(sparsities)
    for floor in np.unique(table)[::-1]:
        picks = np.max(np.where(table >= floor, shares, 0.0), axis=1).tolist()
        if sum(size - round(pick * size) for pick, size in zip(picks, sizes)) <= most_left:
            return picks
    raise ValueError(most_left)

# %% units_to_keep
def units_to_keep(weight, prune_ratio):
    if not 0 <= prune_ratio <= 1:
        raise ValueError(prune_ratio)
    order = np.argsort(np.linalg.norm(weight, axis=0), kind="stable")
    return np.sort(order[min(round(prune_ratio * order.size), order.size - 1) :])

# %% remove_units
def remove_units(first, second, keep):
    first.weight.data, second.weight.data = first.weight.data[:, keep], second.weight.data[keep, :]
    if first.bias:
        first.bias.data = np.take(first.bias.data, keep)
    first.out_features = second.in_features = second.weight.shape[0]

# %% low_rank_approximate
def low_rank_approximate(weight_matrix, rank_ratio=0.5):
    k = max(round(rank_ratio * min(weight_matrix.shape)), 1)
    if k * sum(weight_matrix.shape) > weight_matrix.size:
        raise ValueError(k)
    u, s, v = np.linalg.svd(weight_matrix)
    return u[:, :k], s[:k], v[:k, :]

# %% factorized
def factorized(layer, rank_ratio=0.5):
    u, s, v = low_rank_approximate(layer.weight.data, rank_ratio)
    pair = Sequential(Linear(*u.shape, False), Linear(*v.shape, layer.bias is not None))
    pair.layers[0].weight.data, pair.layers[1].weight.data = u @ np.diag(s**0.5), np.diag(s**0.5) @ v
    if layer.bias is not None:
        pair.layers[1].bias = Tensor(layer.bias.data, requires_grad=True)
    return pair

# %% soft_target_loss
def soft_target_loss(student_logits, teacher_logits, temperature):
    ln_p = log_softmax(Tensor(teacher_logits.data) / temperature).data
    return ((Tensor(ln_p) - log_softmax(student_logits / temperature)) * np.exp(ln_p)).sum(axis=-1).mean() * temperature**2

# %% compress_model
def compress_model(model, compression_config):
    techniques = dict(low_rank=low_rank_model, magnitude_prune=magnitude_prune, structured_prune=structured_prune)
    if not set(compression_config) <= set(techniques):
        raise ValueError(compression_config)
    before = measure_sparsity(model), stored_bytes(model)
    done = [(techniques[name](model, amount), f"{name}_{amount}")[1] for name, amount in compression_config.items()]
    after = measure_sparsity(model), stored_bytes(model)
    return dict(
        original_sparsity=before[0], final_sparsity=after[0], sparsity_increase=after[0] - before[0], original_bytes=before[1],
        final_bytes=after[1], compression_ratio=before[1] / after[1], applied_techniques=done,
    )
