# ---
# title: TypedDict, Final, positional-only arguments, annotations for everything
# kind: correct
# base: reference
# lost: []
# ---

# %% summarize_times
from typing import Final, TypedDict

FAR: Final = 5.0


class TimesSummary(TypedDict):
    median_ms: float
    spread_ms: float
    outliers: int
    runs: int


def summarize_times(times: Sequence[float], /) -> TimesSummary:
    ### EQUIVALENT 64d5729d by times: without a count numpy takes all there are
    taken: np.ndarray = np.fromiter(times, dtype=np.float64, count=len(times))
    if taken.size < 1:
        raise ValueError("there are no times")
    median: float = float(np.quantile(taken, 0.5))
    ### EQUIVALENT 5462bf1a by times: the distance of two numbers has no direction
    distances: np.ndarray = np.abs(np.subtract(taken, median))
    spread: float = float(np.quantile(distances, 0.5))
    return TimesSummary(
        median_ms=median, spread_ms=spread, outliers=int((distances > FAR * spread).sum()), runs=taken.size
    )

# %% roofline
### EQUIVALENT e3c9af31 by roofs: Python does not look at annotations
class Placed(TypedDict, total=False):
    gflops_per_second: float
    memory_bandwidth_mbs: float
    arithmetic_intensity: float
    attainable_gflops_per_second: float
    computational_efficiency: float
    bottleneck: str


def roofline(flops: int, moved_bytes: int, latency_ms: float, machine: Machine, /) -> Placed:
    placed: Placed = {"arithmetic_intensity": flops / (moved_bytes if moved_bytes else 1)}
    placed["gflops_per_second"] = flops / latency_ms / 1e6
    placed["memory_bandwidth_mbs"] = moved_bytes / latency_ms * 1e3 / MB
    placed["computational_efficiency"] = placed["gflops_per_second"] / machine.gflops
    share: float = placed["arithmetic_intensity"] / machine.balance
    placed["attainable_gflops_per_second"] = machine.gflops * min(share, 1.0)
    placed["bottleneck"] = "memory" if placed["arithmetic_intensity"] < machine.balance else "compute"
    return placed
