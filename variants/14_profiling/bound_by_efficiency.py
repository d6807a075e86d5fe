# ---
# title: A low share of the peak is taken for a limit of memory
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
        "computational_efficiency": rate / machine.gflops,
        "bottleneck": "memory" if rate / machine.gflops < 0.5 else "compute",
    }
