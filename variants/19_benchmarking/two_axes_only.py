# ---
# title: Looks at the first two axes
# kind: wrong
# base: reference
# lost: [test_pareto_frontier]
# ---

# %% pareto_frontier
def pareto_frontier(points: Sequence[Sequence[float]], lower_is_better: Sequence[bool]) -> list[int]:
    table = np.asarray(points, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != len(lower_is_better) or np.isnan(table).any():
        raise ValueError("points are rows of numbers, one for each axis")
    cost = np.where(lower_is_better, table, -table)
    cost = cost[:, :2]
    front = []
    for place, point in enumerate(cost):
        dominated = np.all(cost <= point, axis=1) & np.any(cost < point, axis=1)
        if not dominated.any():
            front.append(place)
    return front
