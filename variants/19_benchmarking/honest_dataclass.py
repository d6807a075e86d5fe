# ---
# title: Results in a dataclass that is turned into a dict
# kind: correct
# base: reference
# lost: []
# ---

# %% compare_times
from dataclasses import asdict, dataclass


@dataclass
class Comparison:
    speedup: float
    low: float
    high: float
    verdict: str = "cannot tell"

    def __post_init__(self):
        if self.low > 1:
            self.verdict = "faster"
        if self.high < 1:
            self.verdict = "slower"


def compare_times(base, other, confidence=0.95):
    if len(base) != len(other) or any(ms <= 0 for ms in [*base, *other]):
        raise ValueError("pairs")
    ratios = np.divide(base, other)
    return asdict(Comparison(float(np.median(ratios)), *bootstrap_interval(ratios, confidence=confidence)))
