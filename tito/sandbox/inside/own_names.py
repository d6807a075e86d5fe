"""Names that tests and students both set: a notebook has one namespace, and each is to find its own.

A test runs in the notebook's namespace, as under plain nbgrader. What it sets is left there for the cells and tests
after it, but for names that the student uses too: `back = restore(x)` in a test would take away a student's `back`,
and with it every function of theirs that calls it. Those are put back when the section has been observed, and the
test's are kept for the sections that read them.

What a test calls `sum` is Python's where `from numpy import *` has made it numpy's: see `alias_of`.
"""

from __future__ import annotations

import builtins
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MISSING = object()
ALIAS = "_python_{}"


def alias_of(name: str) -> str:
    """What a test's code calls one of Python's own functions, see `name_pythons`."""
    return ALIAS.format(name)


def name_pythons() -> None:
    """Give Python's own functions names that no notebook uses."""
    for name, value in list(vars(builtins).items()):
        if not name.startswith("_"):
            setattr(builtins, alias_of(name), value)


@dataclass
class OwnNames:
    """What tests have set in a notebook's namespace.

    `values` are theirs of names that were put back; `left` is what stands there of theirs.
    """

    values: dict[str, Any] = field(default_factory=dict)
    left: dict[str, Any] = field(default_factory=dict)

    def copied(self) -> OwnNames:
        """As they are now."""
        return OwnNames(dict(self.values), dict(self.left))

    @contextlib.contextmanager
    def at_work(self, names: dict[str, Any], shared: list[str], of_tests: list[str]) -> Iterator[None]:
        """A section of a test runs, and is observed. `shared`, `of_tests`: see `SectionNames`."""
        before = dict(names)
        names.update({name: self.values[name] for name in of_tests if name in self.values})
        try:
            yield
        finally:
            changed = [n for n in {**before, **names} if names.get(n, MISSING) is not before.get(n, MISSING)]
            for name in changed:
                self._settle(names, name, before.get(name, MISSING), is_shared=name in shared)

    def _settle(self, names: dict[str, Any], name: str, before: Any, *, is_shared: bool) -> None:
        """What a name that a section has changed stands for after it."""
        value = names.get(name, MISSING)
        is_students = before is not MISSING and before is not self.left.get(name, MISSING)
        if is_shared or not is_students:
            self.left[name] = value
            return
        names[name] = before
        if value is MISSING:
            self.values.pop(name, None)
        else:
            self.values[name] = value
