# ---
# title: Shares come out as fractions
# kind: wrong
# base: reference
# lost: [test_weight_distribution]
# ---

# %% weight_distribution
def weight_distribution(parameters: Iterable[Tensor], percentiles: Iterable[float]) -> dict[str, float]:
    weights = [tensor.data.ravel().astype(np.float64) for tensor in parameters if len(tensor.shape) >= 2]
    if not sum(weight.size for weight in weights):
        raise ValueError("no weights to analyse: no tensor has two axes or more")
    magnitudes = np.abs(np.concatenate(weights))
    distribution: dict[str, float] = {"total_weights": magnitudes.size}
    for name in ("mean", "std", "min", "max"):
        distribution[name] = float(getattr(magnitudes, name)())
    for percent in percentiles:
        distribution[f"percentile_{percent}"] = float(np.percentile(magnitudes, percent))
    for name, threshold in (("0001", 0.001), ("001", 0.01), ("01", 0.1)):
        distribution[f"below_threshold_{name}"] = float(np.mean(magnitudes < threshold))
    return distribution
