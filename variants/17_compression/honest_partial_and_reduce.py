# ---
# title: functools.partial, reduce and operator
# kind: correct
# base: reference
# lost: []
# ---

# %% measure_sparsity
import operator
from functools import partial, reduce


def pair_of(weight):
    return weight.size - np.count_nonzero(weight.data), weight.size


def measure_sparsity(model):
    zeros, total = reduce(lambda a, b: (a[0] + b[0], a[1] + b[1]), map(pair_of, weights_of(model)), (0, 0))
    if total == 0:
        raise ValueError("this model has no weights")
    return operator.truediv(zeros, total)

# %% compress_model
def compress_model(model, compression_config):
    known = {"magnitude_prune": magnitude_prune, "structured_prune": structured_prune, "low_rank": low_rank_model}
    try:
        steps = [partial(known[name], model, amount) for name, amount in compression_config.items()]
    except KeyError as error:
        raise ValueError(f"no technique {error}") from error
    stats = {"original_sparsity": measure_sparsity(model), "original_bytes": stored_bytes(model)}
    for step in steps:
        step()
    stats.update(final_sparsity=measure_sparsity(model), final_bytes=stored_bytes(model))
    stats["sparsity_increase"] = operator.sub(stats["final_sparsity"], stats["original_sparsity"])
    stats["compression_ratio"] = operator.truediv(stats["original_bytes"], stats["final_bytes"])
    stats["applied_techniques"] = list(map("_".join, ((name, str(amount)) for name, amount in compression_config.items())))
    return stats
