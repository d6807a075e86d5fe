# ---
# # Peaks taken from a small copy or a small product, and traffic of write-allocate, are no student's mistake here: what
# # measures the machine is given (`profiling.machine`). Section 6.3 of the notebook shows what the first two would do.
# title: Every machine is taken for one of 100 GFLOP/s, and half of that decides, as in a public profiler
# kind: wrong
# base: reference
# lost: [test_roofline]
# ---

# %% roofline
def roofline(flops: int, moved_bytes: int, latency_ms: float, machine: Machine) -> dict[str, Any]:
    intensity = flops / max(moved_bytes, 1)
    rate = flops / (latency_ms / 1e3) / 1e9
    return {
        "gflops_per_second": rate,
        "memory_bandwidth_mbs": moved_bytes / MB / (latency_ms / 1e3),
        "arithmetic_intensity": intensity,
        "attainable_gflops_per_second": min(machine.gflops, intensity * machine.bandwidth_mbs * MB / 1e9),
        "computational_efficiency": min(rate / 100, 1),
        "bottleneck": "memory" if rate < 50 else "compute",
    }
