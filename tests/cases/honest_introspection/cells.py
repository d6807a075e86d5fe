# %% total
import dataclasses
import inspect
import pickle


@dataclasses.dataclass
class Sum:
    """A sum."""

    value: float = 0.0


def total(values):
    """The sum."""
    made = pickle.loads(pickle.dumps(Sum(float(sum(values)))))
    return made.value


assert "pickle.loads" in inspect.getsource(total)

# %% + after:test_total
6 * 7

# %% + after:test_total
assert _ == 42 and Out and In[-1] and _i
help(total)
if __name__ == "__main__":
    print("is main")

# %% + after:test_total
from importlib import reload
import json

reload(json)
get_ipython().run_line_magic("precision", "2")
