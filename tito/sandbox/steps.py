"""What a notebook is given to do, and what came of it: the records that pass over a notebook's channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tito.models import CompiledCell, Measured, SectionNames
from tito.sandbox.inside.codec import NOTHING, Packed
from tito.sandbox.inside.step_status import StepStatus


@dataclass(frozen=True)
class Step:
    """One thing for a notebook to do, see `server`."""

    op: str = "run"  # or branch, mark, recall, of that number; show, or rest
    source: str = ""
    code: bytes = b""  # plain Python, marshalled, in place of a source: faster, and nothing of it is displayed
    cell: CompiledCell | None = None  # the source, compiled, for a shell that student code has left as it was
    names: SectionNames = field(default_factory=SectionNames)  # of a section of a test
    observe: tuple[str, ...] = ()  # names whose plain values are to be brought back
    guard: bool = False  # what asserts rely on is put back first as it was, see `guard`
    number: int = 0
    measured: bool = False  # what it takes is measured from outside
    has_value: bool = False  # it ends in what may be the points of a test: the text of that is to be brought back

    @property
    def is_answered(self) -> bool:
        return self.op in ("run", "branch", "show", "rest")


@dataclass(frozen=True)
class Ran:
    """What the runner says of one step. Its word is not trusted; `observed` are the observations."""

    status: StepStatus  # of a branch that is lost or gone `evalue` says why
    ename: str = ""
    evalue: str = ""
    outputs: tuple[dict[str, Any], ...] = ()
    seconds: float = 0.0
    observed: Packed = NOTHING
    refused: dict[str, str] = field(default_factory=dict)
    tampered: tuple[str, ...] = ()  # what student code had replaced of what asserts rely on
    memory_mb: float = 0.0
    measured: Measured | None = None  # not by the runner, but from outside
    value: str = ""  # what a kernel would show of the last value of a section that ends in one

    @property
    def values(self) -> dict[str, Any]:
        """The observations, made into objects: only for what a trusted process has observed.

        Raises:
            CodecError: they are no values.
        """
        return self.observed.values()
