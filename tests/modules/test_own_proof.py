"""The kept proofs of the course's own modules: of what is there now, above the bar, and true when tried again."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import tito
from tito.author.mutants import Mutant
from tito.author.mutation import SolutionCell, keys_of, run_mutation
from tito.author.proof import read_proof, staleness
from tito.course.course import Assignment, load_course
from tito.plan.planning import plan_assignment
from tito.sandbox.bubblewrap import Bubblewrap

COURSE = load_course(Path(tito.__file__).resolve().parents[1])
MODULES = [module for module in COURSE.assignments if module.script is not None]
TRIED_AGAIN = 0.1  # of those that are not extreme


@pytest.fixture(params=MODULES, ids=lambda module: module.id)
def module(request: pytest.FixtureRequest) -> Assignment:
    assignment: Assignment = request.param
    return assignment


def test_the_proof_is_of_what_is_there_and_holds_the_bar(module: Assignment) -> None:
    proof = read_proof(COURSE, module)
    again = f"run 'tito mutate {module.number}' and commit {module.id}/proof.json"
    assert proof is not None, again
    assert not staleness(proof, keys_of(COURSE, module, plan_assignment(COURSE, module))), again
    assert not list(proof.shortfalls())
    assert COURSE.gates.mutation == "require"


def test_all_extreme_mutants_and_a_tenth_of_the_others_become_what_the_proof_says(module: Assignment) -> None:
    proof = read_proof(COURSE, module)
    assert proof is not None
    draw = random.Random(proof.keys.script)

    def chosen(pairs: list[tuple[SolutionCell, Mutant]]) -> list[tuple[SolutionCell, Mutant]]:
        return [pair for pair in pairs if pair[1].is_extreme or draw.random() < TRIED_AGAIN]

    records = run_mutation(COURSE, module, Bubblewrap(), workers=1, chosen=chosen).mutants
    in_proof = {each.name: (each.caught, each.reason, each.refused) for each in proof.mutants}
    tried = {each.name: (each.caught, each.reason, each.refused) for each in records}
    assert len(tried) > 10
    assert tried == {name: in_proof[name] for name in tried}
