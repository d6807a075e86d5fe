"""How quick the reference package is: times beside PyTorch's on one CPU thread, and what importing it costs.

    python benchmarks/reference.py            # where torch is installed; without it, our times alone

Both run the same sizes in float32, turn by turn in one process, so that a busy machine slows both; medians of the
rounds are compared. "forward" records no gradients; "and back" is a forward and a backward pass.
"""

from __future__ import annotations

import os

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"  # read when numpy and torch are imported

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)

import numpy as np

from tinytorch_ref.core.attention import MultiHeadAttention
from tinytorch_ref.core.autograd import no_grad
from tinytorch_ref.core.layers import Linear
from tinytorch_ref.core.spatial import Conv2d, MaxPool2d
from tinytorch_ref.core.tensor import Tensor
from tinytorch_ref.models.transformer import GPT, LayerNorm
from tinytorch_ref.text.embeddings import Embedding

try:
    import torch
except ModuleNotFoundError:
    torch = None  # type: ignore[assignment]

SECONDS_PER_CASE = 2.0
TARGET = 3.0
IMPORT_TARGET_MS = 50
IMPORTS = 9


class Case(NamedTuple):
    """One line of the table: ours, and a function that builds the same of PyTorch's."""

    name: str
    model: Callable[[Tensor], Tensor]
    parameters: list[Tensor]
    data: Any
    build_torch: Callable[[], Callable[[Any], Any]]
    differentiable: bool = True  # whether a gradient by the input is wanted; token ids have none


def cases() -> list[Case]:
    """What is compared: the course's layers, at its sizes."""
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> Any:
        return rng.standard_normal(shape).astype(np.float32)

    def case(name: str, layer: Any, data: Any, build_torch: Callable[[], Any]) -> Case:
        return Case(name, layer, layer.parameters(), data, build_torch, differentiable=data.dtype == np.float32)

    def ids(vocabulary: int) -> Any:
        return rng.integers(0, vocabulary, size=(8, 128))

    nn: Any = torch and torch.nn
    return [
        case("Linear 512→512, batch 128", Linear(512, 512), normal(128, 512), lambda: nn.Linear(512, 512)),
        case(
            "Conv2d 16→32, k3, 32×32, batch 16",
            Conv2d(16, 32, 3, padding=1),
            normal(16, 16, 32, 32),
            lambda: nn.Conv2d(16, 32, 3, padding=1),
        ),
        case("MaxPool2d 2, 32 × 32×32, batch 16", MaxPool2d(2), normal(16, 32, 32, 32), lambda: nn.MaxPool2d(2)),
        case("LayerNorm 128, 8 × 128 tokens", LayerNorm(128), normal(8, 128, 128), lambda: nn.LayerNorm(128)),
        case("Embedding 65 × 128, 8 × 128 tokens", Embedding(65, 128), ids(65), lambda: nn.Embedding(65, 128)),
        case("Embedding 5000 × 128, 8 × 128 tokens", Embedding(5000, 128), ids(5000), lambda: nn.Embedding(5000, 128)),
        case(
            "attention 128 tokens × 128, 4 heads, batch 8",
            MultiHeadAttention(128, 4),
            normal(8, 128, 128),
            lambda: _torch_gpt().Attention(128, 4, causal=False),
        ),
        case(
            "GPT 4 layers, embed 128, 128 tokens, batch 8",
            GPT(65, 128, 4, 4, max_seq_len=128),
            ids(65),
            lambda: _torch_gpt().GPT(65, 128, 4, 4, 128),
        ),
    ]


def _torch_gpt() -> Any:
    """The same architecture in PyTorch, with its fused attention."""
    nn = torch.nn

    class Attention(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self, width: int, heads: int, causal: bool) -> None:
            super().__init__()
            self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))
            self.heads, self.causal = heads, causal

        def forward(self, x: Any) -> Any:
            n, t, width = x.shape
            q, k, v = (p(x).view(n, t, self.heads, -1).transpose(1, 2) for p in (self.q, self.k, self.v))
            mixed = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
            return self.out(mixed.transpose(1, 2).reshape(n, t, width))

    class Block(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self, width: int, heads: int) -> None:
            super().__init__()
            self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.attention = Attention(width, heads, causal=True)
            self.mlp = nn.Sequential(
                nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width)
            )

        def forward(self, x: Any) -> Any:
            x = x + self.attention(self.ln1(x))
            return x + self.mlp(self.ln2(x))

    class GPT(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self, vocabulary: int, width: int, layers: int, heads: int, length: int) -> None:
            super().__init__()
            self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
            self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
            self.ln, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

        def forward(self, ids: Any) -> Any:
            x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
            return self.head(self.ln(self.blocks(x)))

    class Models:
        pass

    Models.Attention, Models.GPT = Attention, GPT  # type: ignore[attr-defined]
    return Models


class Passes(NamedTuple):
    """Something to time: a forward pass, and one with its backward."""

    forward: Callable[[], object]
    both: Callable[[], object]


def our_passes(case: Case) -> Passes:
    """Ours."""
    x = Tensor(case.data, requires_grad=case.differentiable)
    with no_grad():
        gradient = np.ones_like(case.model(x).data)

    def forward() -> object:
        with no_grad():
            return case.model(x)

    def both() -> None:
        for tensor in (x, *case.parameters):
            tensor.grad = None
        case.model(x).backward(gradient)

    return Passes(forward, both)


def torch_passes(case: Case) -> Passes:
    """PyTorch's."""
    model: Any = case.build_torch()
    x = torch.tensor(case.data, requires_grad=case.differentiable)
    gradient = torch.ones_like(model(x))

    def forward() -> object:
        with torch.no_grad():
            return model(x)

    def both() -> None:
        for tensor in (x, *model.parameters()):
            tensor.grad = None
        model(x).backward(gradient)

    return Passes(forward, both)


def turn_by_turn(runs: list[Callable[[], object]]) -> list[float]:
    """Median milliseconds of each, run in turns for about SECONDS_PER_CASE, after two turns to warm up."""
    times: list[list[float]] = [[] for _ in runs]
    end = None
    for turn in range(1000):
        for run, measured in zip(runs, times, strict=True):
            start = time.perf_counter()
            run()
            measured.append(1e3 * (time.perf_counter() - start))
        if turn == 1:
            end = time.perf_counter() + SECONDS_PER_CASE
            times = [[] for _ in runs]
        if end is not None and time.perf_counter() > end and times[0]:
            break
    return [median(measured) for measured in times]


def import_ms() -> tuple[float, float]:
    """Median time to import every file of the package in a fresh process, beyond what numpy has loaded before.

    Returns:
        with the bytecode that Python keeps from the first import on, and without, compiling everything each time.
    """
    package = ROOT / "tinytorch_ref"
    files = [path for path in package.rglob("*.py") if path.name != "__init__.py"]
    names = sorted(".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files)
    program = (
        "import time, numpy\nstart = time.perf_counter()\n"
        f"for name in {names!r}: __import__(name)\nprint(1e3 * (time.perf_counter() - start))"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def once(*options: str) -> float:
        command = [sys.executable, *options, "-c", program]
        run = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
        return float(run.stdout)

    with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryDirectory() as empty:
        compiled, uncompiled = ("-X", f"pycache_prefix={cache}"), ("-B", "-X", f"pycache_prefix={empty}")
        once(*compiled)
        pairs = [(once(*compiled), once(*uncompiled)) for _ in range(IMPORTS)]
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)


def report(case: Case) -> list[str]:
    """Cells of a line."""
    ours = our_passes(case)
    if torch is None:
        return [f"{ms:.2f}" for ms in turn_by_turn([ours.forward, ours.both])]
    theirs = torch_passes(case)
    cells = []
    for mine, other in ((ours.forward, theirs.forward), (ours.both, theirs.both)):
        a, b = turn_by_turn([mine, other])
        mark = "" if a <= TARGET * b else "  over"
        cells.append(f"{a:.2f} / {b:.2f} = {a / b:.2f}{mark}")
    return cells


def main() -> None:
    """Print the table."""
    title = "ours" if torch is None else f"ours / PyTorch {torch.__version__}"
    if torch is None:
        print("PyTorch is not installed (pip install torch==2.13.0): our times alone.\n")
    else:
        torch.set_num_threads(1)
    print(f"{'ms on one thread, ' + title:<48} {'forward':<26} and back")
    for case in cases():
        forward, both = report(case)
        print(f"{case.name:<48} {forward:<26} {both}", flush=True)
    compiled, uncompiled = import_ms()
    print(
        f"\nimport of all modules, over numpy's: {compiled:.0f} ms, "
        f"{uncompiled:.0f} where no bytecode is kept (target: under {IMPORT_TARGET_MS})"
    )


if __name__ == "__main__":
    main()
