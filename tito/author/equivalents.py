"""Marks of mutants that are no other solution: '### EQUIVALENT 0a1b2c3d: reason' above a line of a solution.

The eight characters are the mutant's digest, which `tito mutate` shows: it is of the line and of what was made of it,
so that a mark falls when its line changes. Where the mark names a generator ('0a1b2c3d by name: reason'), a function of
variants/NN_name/generators.py, that draws inputs and says what the solution makes of them, a thousand times, and the
mark is refused where the mutant makes something else of one. Of arrays the bytes are compared, of all else the `repr`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tito.author.mutants import mutant_name
from tito.course.cells import read_cells
from tito.errors import BadSource
from tito.plan.directives import EQUIVALENT_FORM, EQUIVALENT_LINE, require_forms
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.zygote_client import ZygoteClient

DRAWS = 1000
DIGEST_CHARACTERS = 16


@dataclass(frozen=True)
class Mark:
    """What an author says of a mutant. `line` is the number of the marked line in the cell without marks."""

    solution: str
    cell: str
    line: int
    digest: str
    reason: str
    generator: str = ""

    @property
    def key(self) -> str:
        return mutant_name(self.solution, self.cell, self.line, self.digest)


def without_marks(source: str, solution: str, cell: str) -> tuple[str, list[Mark]]:
    """A cell without its marks, and these.

    Raises:
        BadSource: a mark that is not of its form.
    """
    require_forms(source, f"{solution}, {cell}", {"EQUIVALENT": EQUIVALENT_FORM})
    lines: list[str] = []
    marks: list[Mark] = []
    for line in source.split("\n"):
        match = EQUIVALENT_LINE.fullmatch(line)
        if match is None:
            lines.append(line)
        else:
            facts = match["digest"], match["reason"].strip(), match["generator"] or ""
            marks.append(Mark(solution, cell, len(lines) + 1, *facts))
    return "\n".join(lines), marks


# Runs in a sandbox, beside the solution or its mutant. One text for each draw: what was made of it, or what was raised.
PROBE = """
def _tito_probe(generator, notebook, draws):
    import hashlib
    import numpy
    def shown(value):
        if isinstance(value, numpy.ndarray):
            return repr((value.dtype.str, value.shape)) + numpy.ascontiguousarray(value).tobytes().hex()
        if isinstance(value, dict):
            return "{" + ",".join(f"{key!r}:{shown(each)}" for key, each in value.items()) + "}"
        if isinstance(value, (list, tuple)):
            return type(value).__name__ + "[" + ",".join(map(shown, value)) + "]"
        if isinstance(getattr(value, "data", None), numpy.ndarray):
            return type(value).__name__ + shown(value.data)
        return f"{type(value).__name__} {value!r}"
    answers = []
    for draw in range(draws):
        try:
            answer = shown(generator(numpy.random.default_rng(draw), notebook))
        except Exception as error:
            answer = "raised " + type(error).__name__
        answers.append(hashlib.sha256(answer.encode()).hexdigest()[:CHARACTERS])
    return answers
""".replace("CHARACTERS", str(DIGEST_CHARACTERS))
CALL = """
def _tito_call():
    import base64
    import types
    space = {{"__name__": "generators"}}
    exec(base64.b64decode({source!r}).decode(), space)
    notebook = types.SimpleNamespace(**{{name: value for name, value in globals().items() if not name.startswith("_")}})
    return _tito_probe(space[{generator!r}], notebook, {draws})
_tito_answers = _tito_call()
"""


class Prober:
    """Asks generators of a course's author what solutions make of a thousand inputs, in a sandbox.

    Args:
        generators: the file that holds them.
        limit_s: of processor time, for all draws of a generator.
    """

    def __init__(self, sandbox: ZygoteClient, generators: Path, limit_s: float) -> None:
        self._sandbox = sandbox
        self._path = generators
        self._limit_s = limit_s
        self._source = generators.read_bytes() if generators.exists() else b""
        self._right: dict[tuple[str, str], list[str]] = {}  # what right solutions made of a generator's inputs

    def first_difference(self, mark: Mark, right: Mapping[str, Any], mutant: Mapping[str, Any]) -> int | None:
        """The first draw of which the two make something else, None: there is none.

        Raises:
            BadSource: there is no such generator, or it raises on the right solution, or the two are compared on
                nothing.
        """
        asked = (mark.solution, mark.generator)
        if asked not in self._right:
            self._right[asked] = self._answers(mark, right)
            if len(set(self._right[asked])) < 2:
                raise BadSource(
                    f"{self._path}: {mark.generator} gives the same {DRAWS} times.", hint="Draw from its rng."
                )
        theirs = self._answers(mark, mutant, is_right=False)
        pairs = enumerate(zip(self._right[asked], theirs, strict=False))
        return next((draw for draw, (first, second) in pairs if first != second), None if theirs else 0)

    def _answers(self, mark: Mark, notebooks: Mapping[str, Any], *, is_right: bool = True) -> list[str]:
        source = base64.b64encode(self._source).decode()
        call = PROBE + CALL.format(source=source, generator=mark.generator, draws=DRAWS)
        (notebook,) = notebooks.values()
        with self._sandbox.session() as session:
            for cell in read_cells(notebook.cells):
                if cell.is_code and not cell.is_test and not cell.tags:
                    session.notebook.run(cell.source, self._limit_s)
            ran = session.notebook.run(call, self._limit_s, observe=("_tito_answers",))
        if ran.status is StepStatus.OK:
            answers: list[str] = ran.values["_tito_answers"]
            return answers
        if is_right:
            why = f"{ran.ename or ran.status.value} {ran.evalue}".strip()
            raise BadSource(
                f"{self._path}: {mark.generator} could not be asked: {why}.",
                hint="Define it there: def name(rng, notebook), which draws inputs and returns what comes of them.",
            )
        return []
