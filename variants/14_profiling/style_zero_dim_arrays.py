# ---
# title: Results as numpy arrays without axes, and dictionaries built from pairs
# kind: correct
# base: reference
# lost: []
# ---

# %% linear_flops
def linear_flops(input_shape, out_features):
    ### EQUIVALENT f384471f by counts: an int is as good as an array without axes
    return np.array(2 * out_features * prod(input_shape))

# %% roofline
def roofline(flops, moved_bytes, latency_ms, machine):
    ### EQUIVALENT 91d87957 by roofs: a float is as good as an array without axes
    seconds = np.array(latency_ms) / 1000
    ### EQUIVALENT 31ee6efa by roofs: a float is as good as an array without axes
    intensity = np.array(flops / max(moved_bytes, 1))
    ### EQUIVALENT d6dec6e6 by roofs: numpy makes the array itself
    rates = np.array([flops / 1e9, moved_bytes / 2**20]) / seconds
    names = ("gflops_per_second", "memory_bandwidth_mbs", "arithmetic_intensity", "computational_efficiency")
    result = dict(zip(names, [*rates, intensity, rates[0] / machine.gflops]))
    slope = intensity * (machine.bandwidth_mbs * 2**20 / 1e9)
    result["attainable_gflops_per_second"] = np.minimum(slope, machine.gflops)
    result["bottleneck"] = str(np.where(intensity < machine.balance, "memory", "compute"))
    return result
