# ---
# title: Loops over numbers, Python lists and sorted pairs
# kind: correct
# base: reference
# lost: []
# ---

# %% weights_of
def weights_of(model):
    weights = []
    for tensor in model_parameters(model):
        if tensor.data.ndim > 1:
            weights.append(tensor)
    return weights

# %% measure_sparsity
def measure_sparsity(model):
    zeros = total = 0
    for tensor in weights_of(model):
        for number in tensor.data.ravel().tolist():
            total += 1
            if number == 0:
                zeros += 1
    if not total:
        raise ValueError("nothing to measure")
    return zeros / total

# %% magnitude_masks
def magnitude_masks(weights, sparsity):
    if sparsity < 0 or sparsity > 1:
        raise ValueError("sparsity is from 0 to 1")
    ranked = []
    for which, array in enumerate(weights):
        for place, number in enumerate(array.ravel().tolist()):
            ranked.append((abs(number), which, place))
    ranked.sort()
    masks = [np.ones(array.shape, dtype=bool) for array in weights]
    for _, which, place in ranked[: round(sparsity * len(ranked))]:
        masks[which].ravel()[place] = False
    return masks

# %% magnitude_prune
def magnitude_prune(model, sparsity=0.9):
    weights = weights_of(model)
    arrays = []
    for tensor in weights:
        arrays.append(tensor.data)
    masks = magnitude_masks(arrays, sparsity)
    for number in range(len(weights)):
        weights[number].data = arrays[number] * masks[number]
    return model

# %% stored_bytes
def stored_bytes(model):
    total = 0
    for tensor in model_parameters(model):
        plain = tensor.size * tensor.data.itemsize
        if tensor.data.ndim < 2:
            total += plain
            continue
        bits = tensor.size // 8
        ### EQUIVALENT 920a28a8 by stored: no remainder is no remainder
        if tensor.size % 8:
            bits += 1
        numbers = int((tensor.data != 0).sum()) * tensor.data.itemsize
        ### EQUIVALENT 38e7e023 by stored: where both are equal either is right
        if bits + numbers < plain:
            total += bits + numbers
        else:
            total += plain
    return total

# %% masked_step
def masked_step(optimizer, weights, masks):
    optimizer.step()
    for number in range(len(weights)):
        array = weights[number].data
        for place in np.ndindex(array.shape):
            if not masks[number][place]:
                array[place] = 0

# %% sensitivity_scan
def sensitivity_scan(model, evaluate, sparsities):
    table = []
    for tensor in weights_of(model):
        remembered = tensor.data
        table.append([])
        for sparsity in sparsities:
            for mask in magnitude_masks([remembered], sparsity):
                tensor.data = remembered * mask
            table[-1].append(evaluate(model))
            tensor.data = remembered
    return table

# %% choose_sparsities
def choose_sparsities(scores, sizes, sparsities, most_left):
    floors = []
    for row in scores:
        for score in row:
            if score not in floors:
                floors.append(score)
    floors.sort()
    while floors:
        floor = floors.pop()
        chosen, left = [], 0
        for row, size in zip(scores, sizes):
            best = 0.0
            for sparsity, score in zip(sparsities, row):
                ### EQUIVALENT 1ba05b86 by choices: at the bound it sets what is there
                if score >= floor and sparsity > best:
                    best = sparsity
            chosen.append(best)
            left += size - round(best * size)
        if left <= most_left:
            return chosen
    raise ValueError("the budget cannot be met")

# %% units_to_keep
def units_to_keep(weight, prune_ratio):
    if prune_ratio < 0 or prune_ratio > 1:
        raise ValueError("prune_ratio is from 0 to 1")
    lengths = []
    for column in range(weight.shape[1]):
        lengths.append((sum(float(number) ** 2 for number in weight[:, column]), column))
    lengths.sort()
    gone = round(prune_ratio * len(lengths))
    if gone == len(lengths):
        gone -= 1
    return np.asarray(sorted(column for _, column in lengths[gone:]))

# %% remove_units
def remove_units(first, second, keep):
    columns, rows, entries = [], [], []
    for unit in keep:
        columns.append(first.weight.data[:, unit])
        rows.append(second.weight.data[unit, :])
        if first.bias is not None:
            entries.append(first.bias.data[unit])
    first.weight.data = np.stack(columns, axis=1)
    second.weight.data = np.stack(rows)
    if first.bias is not None:
        first.bias.data = np.stack(entries)
    first.out_features = len(columns)
    second.in_features = len(rows)

# %% low_rank_approximate
def low_rank_approximate(weight_matrix, rank_ratio=0.5):
    m, n = weight_matrix.shape
    k = max(round(rank_ratio * min(m, n)), 1)
    if k * m + k * n > m * n:
        raise ValueError("nothing would be saved")
    u, s, v = np.linalg.svd(weight_matrix)
    left, right = [], []
    for term in range(k):
        left.append(u[:, term])
        right.append(v[term])
    return np.stack(left, axis=1), s[:k], np.stack(right)

# %% factorized
def factorized(layer, rank_ratio=0.5):
    u, s, v = low_rank_approximate(layer.weight.data, rank_ratio)
    k = len(s)
    first = Linear(layer.weight.shape[0], k, bias=False)
    second = Linear(k, layer.weight.shape[1], bias=layer.bias is not None)
    for term in range(k):
        first.weight.data[:, term] = u[:, term] * s[term] ** 0.5
        second.weight.data[term, :] = v[term, :] * s[term] ** 0.5
    if layer.bias is not None:
        for place in range(len(layer.bias.data)):
            second.bias.data[place] = layer.bias.data[place]
    return Sequential(first, second)

# %% soft_target_loss
def soft_target_loss(student_logits, teacher_logits, temperature):
    total = None
    rows = student_logits.shape[0]
    for row in range(rows):
        ln_p = log_softmax(Tensor(teacher_logits.data[row] / temperature)).data
        ln_q = log_softmax(student_logits[row] * (1 / temperature))
        cost = (Tensor(np.exp(ln_p)) * (Tensor(ln_p) - ln_q)).sum()
        total = cost if total is None else total + cost
    return total * temperature * temperature / rows

# %% compress_model
def compress_model(model, compression_config):
    for name in compression_config:
        if name != "magnitude_prune" and name != "structured_prune" and name != "low_rank":
            raise ValueError(name)
    stats = {"original_sparsity": measure_sparsity(model), "original_bytes": stored_bytes(model), "applied_techniques": []}
    for name in compression_config:
        amount = compression_config[name]
        if name == "magnitude_prune":
            magnitude_prune(model, amount)
        elif name == "structured_prune":
            structured_prune(model, amount)
        else:
            low_rank_model(model, amount)
        stats["applied_techniques"].append(name + "_" + str(amount))
    stats["final_sparsity"] = measure_sparsity(model)
    stats["final_bytes"] = stored_bytes(model)
    stats["sparsity_increase"] = stats["final_sparsity"] - stats["original_sparsity"]
    stats["compression_ratio"] = stats["original_bytes"] / stats["final_bytes"]
    return stats
