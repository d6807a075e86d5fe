"""Where the student's own cells go among the instructor's, which stand in their released order.

What stood before a test in the student's notebook is run before it in the graded one: the student saw the test pass
that way. So a cell of the student's own stays behind the last cell before it that is in its place, but goes before the
first test that it stood before; and of a cell of the instructor's that the student had moved above an earlier test, and
that this test needs, a copy is run there.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tito.course.cells import Cell
from tito.course.python_source import Source, fact
from tito.plan.magics import flow_with_magics
from tito.plan.test_cell import visible_source

Matches = Mapping[int, list[int]]  # positions of submitted cells, by the index of the instructor's that they stand for


@dataclass
class Placing:
    """The instructor's cell that each of some submitted cells comes after, -1: none, by position: the student's own,
    and copies of those that are run `ahead` of their place, too."""

    own: dict[int, int] = field(default_factory=dict)
    ahead: dict[int, int] = field(default_factory=dict)

    def by_place(self) -> dict[int, list[int]]:
        """Positions of what comes after each of the instructor's cells, in the student's order."""
        followers: dict[int, list[int]] = {}
        for position, place in sorted((*self.own.items(), *self.ahead.items())):
            followers.setdefault(place, []).append(position)
        return followers


def placing(submitted: Sequence[Cell], matches: Matches, source: Sequence[Cell]) -> Placing:
    """Where what is not in the instructor's order goes."""
    index_at = {position: index for index, positions in matches.items() for position in positions}
    placed = Placing(_anchored(len(submitted), matches, index_at))
    for index in sorted(matches):
        if source[index].is_test:
            _bring_before(index, submitted, matches, source, placed, index_at)
    return placed


def _anchored(count: int, matches: Matches, index_at: Mapping[int, int]) -> dict[int, int]:
    """The student's own cells, each behind the last cell before it of the longest run that is in order."""
    firsts = sorted(positions[0] for positions in matches.values())
    in_place = longest_run([index_at[position] for position in firsts])
    anchored, last = {}, -1
    for position in range(count):
        index = index_at.get(position)
        if index is None:
            anchored[position] = last
        elif index in in_place and matches[index][0] == position:
            last = index
    return anchored


def longest_run(numbers: Sequence[int]) -> set[int]:
    """The longest increasing subsequence of numbers that are all different."""
    ends: list[int] = []  # the least number that a run of each length can end with
    before: dict[int, int | None] = {}
    for number in numbers:
        at = bisect_left(ends, number)
        before[number] = ends[at - 1] if at else None
        ends[at : at + 1] = [number]
    run: set[int] = set()
    last = ends[-1] if ends else None
    while last is not None:
        run.add(last)
        last = before[last]
    return run


def _bring_before(
    test: int,
    submitted: Sequence[Cell],
    matches: Matches,
    source: Sequence[Cell],
    placed: Placing,
    index_at: Mapping[int, int],
) -> None:
    """Have what the student had above a test run before it."""
    above = range(matches[test][0])
    own = [at for at in above if placed.own.get(at, -1) >= test and submitted[at].is_code]
    late = [
        at for at in above if index_at.get(at, -1) > test and at not in placed.ahead and _is_run(source, index_at, at)
    ]
    placed.own |= dict.fromkeys(own, test - 1)
    if not late:
        return
    earlier = [at for index, positions in matches.items() if index < test for at in positions]
    codes = [submitted[at].code for at in (*earlier, *own)]
    needed = _needed((_visible(source[test].code), *codes), {at: submitted[at].code for at in late})
    placed.ahead |= dict.fromkeys(needed, test - 1)


def _is_run(source: Sequence[Cell], index_at: Mapping[int, int], position: int) -> bool:
    original = source[index_at[position]]
    return original.is_code and not original.is_test


@fact
def _visible(test: Source) -> Source:
    return test.other(visible_source(test.text))


def _needed(sources: Iterable[Source], late: dict[int, Source]) -> set[int]:
    """Of some cells those that set what the sources read, and what sets what these read, and so on."""
    flows = {at: flow for at, code in late.items() if (flow := flow_with_magics(code)) is not None}
    read = frozenset[str]().union(*(flow.read for code in sources if (flow := flow_with_magics(code)) is not None))
    needed: set[int] = set()
    while more := {at for at, flow in flows.items() if at not in needed and flow.bound & read}:
        needed |= more
        read = read.union(*(flows[at].read for at in more))
    return needed
