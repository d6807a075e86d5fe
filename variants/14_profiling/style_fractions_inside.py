# ---
# title: Exact fractions inside, floats outside; typed results
# kind: correct
# base: reference
# lost: []
# ---

# %% roofline
from fractions import Fraction


def roofline(flops: int, moved_bytes: int, latency_ms: float, machine: Machine) -> dict:
    intensity = Fraction(int(flops), max(int(moved_bytes), 1))
    rate = Fraction(int(flops)) / Fraction(latency_ms) / 10**6
    ridge = Fraction(machine.gflops) * 10**9 / (Fraction(machine.bandwidth_mbs) * 2**20)
    ### EQUIVALENT bd0cc7ae by roofs: at the ridge the two are equal
    roof = Fraction(machine.gflops) if intensity >= ridge else intensity * Fraction(machine.bandwidth_mbs) * 2**20 / 10**9
    return {
        "gflops_per_second": float(rate), "arithmetic_intensity": float(intensity),
        "memory_bandwidth_mbs": float(Fraction(int(moved_bytes), 2**20) * 1000 / Fraction(latency_ms)),
        "attainable_gflops_per_second": float(roof),
        "computational_efficiency": float(rate / Fraction(machine.gflops)),
        "bottleneck": "compute" if intensity >= ridge else "memory",
        "ridge": float(ridge),
    }

# %% attention_flops
def attention_flops(batch, tokens, width, heads):
    scores = {"multiply-adds": batch * tokens**2 * width, "softmax": batch * heads * tokens**2}
    values = {"multiply-adds": batch * tokens**2 * width}
    return sum(2 * step["multiply-adds"] for step in (scores, values)) + scores["softmax"]
