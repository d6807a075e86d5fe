"""The kept proof that a module's tests catch wrong solutions: its record, its file, its bar. Nothing is run here.

It lies in variants/NN_name/proof.json, one mutant a line, so that a change of it can be read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from tito.author.mutants import Mutant, mutant_name
from tito.course.course import Assignment, Course
from tito.errors import BadSource
from tito.models import Gate

PROOF_FILE = "proof.json"
BAR = 0.95  # of a module's mutants, by all tests together
OWN_BAR = 0.80  # of an exercise's mutants, by its own tests
MOST_MARKED = 0.10  # of a module's mutants
GATE = "tests catch wrong solutions"
OF_MUTANT = ("solution", "cell", "line", "digest", "operator", "family", "is_extreme", "removed", "added")


class Caught(Enum):
    """What became of a mutant."""

    OWN = "own"  # a test of its own exercise did not pass
    OTHERS = "others"  # only a test of another exercise did not
    NOT = "not"  # all tests passed
    FAULT = "fault"  # ours: it could not be graded, which catches nothing


@dataclass(frozen=True)
class Survival:
    """What tests saw of a mutant that they let pass.

    `test` is the one that came nearest to catching it, on that line of a judge half, where what it saw differed from
    what was wanted by `deviation` and was let pass by `tolerance`; the right solution differed by `usual`. `differs`
    are observed names that had other values than with the right solution, by test.
    """

    test: str = ""
    line: str = ""
    deviation: float = 0.0
    tolerance: float = 0.0
    usual: float = 0.0
    differs: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The same in words."""
        if self.line:
            return (
                f"{self.test} let it pass: {self.deviation:.3g} of a tolerance of {self.tolerance:.3g} "
                f"(the right solution: {self.usual:.3g}) in `{self.line}`"
            )
        if self.differs:
            return (
                f"{self.test} let it pass: other values of {', '.join(self.differs)}, and no tolerance is asked about"
            )
        return "all that tests look at was the same"


@dataclass(frozen=True)
class MutantRecord:
    """A mutant, what caught it, and what its author says of it: `reason`, by which `generator`; `refused` is why that
    does not count."""

    solution: str
    cell: str
    line: int
    digest: str
    operator: str
    family: str
    is_extreme: bool
    removed: tuple[str, ...]
    added: tuple[str, ...]
    caught: Caught = Caught.NOT
    test: str = ""
    verdict: str = ""
    survival: Survival | None = None
    reason: str = ""
    generator: str = ""
    refused: str = ""

    @staticmethod
    def of(mutant: Mutant) -> MutantRecord:
        return MutantRecord(**{name: getattr(mutant, name) for name in OF_MUTANT})

    @property
    def name(self) -> str:
        return mutant_name(self.solution, self.cell, self.line, self.digest)

    @property
    def is_caught(self) -> bool:
        return self.caught in (Caught.OWN, Caught.OTHERS)

    @property
    def is_marked(self) -> bool:
        """Whether it is taken to be no other solution, so that no test has to catch it."""
        return bool(self.reason) and not self.refused

    @property
    def summary(self) -> str:
        """What became of it, in a few words."""
        return f"{self.verdict} in {self.test}" if self.is_caught else self.verdict or "not caught"

    @property
    def remark(self) -> str:
        """The same of one that was let pass, with what tests saw of it."""
        return self.survival.sentence if self.survival is not None else self.summary

    @property
    def diff(self) -> str:
        return "\n".join(
            [*(f"- {line.strip()}" for line in self.removed), *(f"+ {line.strip()}" for line in self.added)]
        )

    def as_json(self) -> dict[str, Any]:
        """Without what says nothing."""
        facts = asdict(self) | {"caught": self.caught.value}
        return {name: value for name, value in facts.items() if not (value is None or value is False or value == "")}

    @staticmethod
    def from_json(facts: dict[str, Any]) -> MutantRecord:
        """Raises ValueError, KeyError or TypeError where it is no record."""
        survival = facts.get("survival")
        lists = {name: tuple(facts[name]) for name in ("removed", "added")}
        if survival is not None:
            survival = Survival(**survival | {"differs": tuple(survival["differs"])})
        rest = {"caught": Caught(facts["caught"]), "survival": survival, "is_extreme": facts.get("is_extreme", False)}
        return MutantRecord(**facts | lists | rest)


@dataclass(frozen=True)
class Keys:
    """Hashes of what a proof is of."""

    script: str
    variants: str
    operators: str
    engine: str
    marks: str = ""

    def as_json(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    part: int
    whole: int

    @property
    def ratio(self) -> float:
        return self.part / self.whole if self.whole else 1.0

    def __str__(self) -> str:
        return f"{self.part} of {self.whole} ({self.ratio:.1%})"


@dataclass(frozen=True)
class Proof:
    """What became of all mutants of a module. `own` are the tests of each exercise."""

    module: str
    keys: Keys
    cosmic_ray: str
    own: dict[str, tuple[str, ...]]
    mutants: tuple[MutantRecord, ...]
    unused_marks: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def counted(self) -> list[MutantRecord]:
        """Mutants that tests have to catch."""
        return [each for each in self.mutants if not each.is_marked]

    @property
    def caught(self) -> Share:
        counted = self.counted
        return Share(sum(each.is_caught for each in counted), len(counted))

    @property
    def survivors(self) -> list[MutantRecord]:
        return [each for each in self.counted if not each.is_caught]

    @property
    def marked(self) -> list[MutantRecord]:
        return [each for each in self.mutants if each.is_marked]

    def caught_by_own(self, exercise: str) -> Share:
        of_exercise = [each for each in self.counted if each.cell == exercise]
        return Share(sum(each.caught is Caught.OWN for each in of_exercise), len(of_exercise))

    def shortfalls(self) -> Iterator[tuple[str, str]]:
        """What is below the bar: where, and what."""
        if self.caught.ratio < BAR:
            yield "", f"tests catch {self.caught} mutants, at least {BAR:.0%} are wanted"
        for exercise in self.own:
            share = self.caught_by_own(exercise)
            if share.ratio < OWN_BAR:
                yield exercise, f"its own tests catch {share} of its mutants, at least {OWN_BAR:.0%} are wanted"
        for each in self.survivors:
            if each.is_extreme:
                yield each.cell, f"no test catches that it returns {each.family} ({each.solution})"
        if len(self.marked) > MOST_MARKED * len(self.mutants):
            share = Share(len(self.marked), len(self.mutants))
            yield "", f"{share} mutants are marked as equivalent, at most {MOST_MARKED:.0%} may be"
        for each in self.mutants:
            if each.refused:
                yield each.cell, f"the mark {each.digest} is refused: {each.refused}"
            if each.caught is Caught.FAULT:
                yield each.cell, f"a mutant could not be graded: {each.verdict}"
        for mark in self.unused_marks:
            yield "", f"a mark of no mutant, whose line may have changed: {mark}"

    @property
    def summary(self) -> str:
        """In a line."""
        without = sum(not each.generator for each in self.marked)
        marked = f", {len(self.marked)} marked as equivalent ({without} without a generator)" if self.marked else ""
        return f"{self.caught} mutants are caught{marked}"

    # ---- its file ------------------------------------------------------------------------------------------

    def text(self) -> str:
        """The proof as it is kept."""
        head = {
            "module": self.module,
            "keys": self.keys.as_json(),
            "cosmic_ray": self.cosmic_ray,
            "seconds": round(self.seconds, 1),
            "own": {name: list(tests) for name, tests in self.own.items()},
            "unused_marks": list(self.unused_marks),
        }
        lines = ",\n".join(f"  {json.dumps(each.as_json(), ensure_ascii=False)}" for each in self.mutants)
        return json.dumps(head, indent=1, ensure_ascii=False)[:-2] + f',\n "mutants": [\n{lines}\n ]\n}}\n'

    @staticmethod
    def from_text(text: str) -> Proof:
        """Raises ValueError, KeyError or TypeError where it is none."""
        facts = json.loads(text)
        return Proof(
            module=facts["module"],
            keys=Keys(**facts["keys"]),
            cosmic_ray=facts["cosmic_ray"],
            own={name: tuple(tests) for name, tests in facts["own"].items()},
            mutants=tuple(map(MutantRecord.from_json, facts["mutants"])),
            unused_marks=tuple(facts["unused_marks"]),
            seconds=facts["seconds"],
        )


def proof_path(course: Course, assignment: Assignment) -> Path:
    return course.step("variants", assignment.id, PROOF_FILE)


def read_proof(course: Course, assignment: Assignment) -> Proof | None:
    """The kept proof of a module; None where there is none.

    Raises:
        BadSource: what is kept cannot be read.
    """
    path = proof_path(course, assignment)
    if not path.exists():
        return None
    try:
        return Proof.from_text(path.read_text(encoding="utf-8"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadSource(
            f"{path} is no proof: {error}.", hint=f"Delete it, and run 'tito mutate {assignment.id}'."
        ) from error


def write_proof(course: Course, assignment: Assignment, proof: Proof) -> Path:
    """Keep it."""
    path = proof_path(course, assignment)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(proof.text(), encoding="utf-8")
    return path


# ---- the gate ----------------------------------------------------------------------------------------------


STALE = {
    "script": "a solution or test has changed since",
    "variants": "a variant that is right too has changed since",
    "operators": "mutants are made another way now",
    "engine": "the engine, its packages or the modules below have changed since",
    "marks": "what is said of equivalent mutants has changed since",
}


def staleness(proof: Proof, keys: Keys) -> list[str]:
    """What is not as it was when the proof was made."""
    before, now = proof.keys.as_json(), keys.as_json()
    return [sentence for name, sentence in STALE.items() if before[name] != now[name]]


def proof_gates(assignment: Assignment, proof: Proof | None, keys: Keys, *, refuses: bool) -> Iterable[Gate]:
    """What the kept proof of an assignment says: nothing is graded for it. `refuses`: what falls short of the bar holds
    up a release; else it is said."""

    def fault(detail: str, where: str = "", hint: str = f"Run 'tito mutate {assignment.id}'.") -> Gate:
        return Gate(GATE, not refuses, detail, where, hint, warning=not refuses)

    if proof is None:
        yield fault("no proof of it is kept")
        return
    stale = staleness(proof, keys)
    if stale:
        yield fault(f"the kept proof is stale: {'; '.join(stale)}")
        return
    below = [fault(detail, where, f"'tito mutate {assignment.id}' shows them.") for where, detail in proof.shortfalls()]
    yield from below
    if not below:
        yield Gate(GATE, True, proof.summary)
