"""The page of words: verdicts, what they rest on, errors with their exit codes, and marks in cells."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from tito import errors
from tito.course.cells import RAISES_TAG, WARMUP_TAG
from tito.docs.comments import members_of
from tito.docs.markdown import code, table
from tito.errors import TitoError
from tito.models import CellKind, Evidence, Verdict
from tito.plan import directives

TAGS = {
    WARMUP_TAG: "measures before anything is written; ungraded, and not run when work is graded, where that can be",
    "validate": "the same behind what is written",
    RAISES_TAG: "Jupyter's own: a kernel that is to run all cells goes on behind an error; tests of a module get it",
}
EXIT_CODES = {
    0: "all is well",
    1: "a check that was asked for failed",
    2: "what was asked for does not exist or does not fit",
    3: "the platform could not do its work",
}


def page() -> str:
    """The whole page, in Markdown."""
    parts = [
        "# Verdicts, errors, and marks in cells\n",
        *_enum("Verdicts", Verdict, "verdict"),
        *_enum("What a verdict rests on", Evidence, "evidence"),
        *_enum("Kinds of cells", CellKind, "kind"),
        "## Tags of cells\n",
        table(("tag", "meaning"), ((code(tag), text) for tag, text in TAGS.items())),
        "## Lines in cells that say something to the grader\n",
        f"```text\n{(directives.__doc__ or '').partition(chr(10) * 2)[2].strip()}\n```\n",
        "## Exit codes\n",
        table(("code", "meaning"), ((code(str(number)), text) for number, text in EXIT_CODES.items())),
        "## Errors\n",
        "An error is one line: what happened and where, and what to do next. `tito --traceback` shows its origin.\n",
        table(("error", "exit code", "meaning"), _errors(TitoError)),
    ]
    return "\n".join(parts)


def _enum(title: str, kind: type[Enum], head: str) -> Iterator[str]:
    yield f"## {title}\n"
    yield f"{' '.join((kind.__doc__ or '').split())}\n"
    yield table((head, "meaning"), members_of(kind))


def _errors(base: type[TitoError]) -> Iterator[tuple[str, str, str]]:
    for kind in base.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield code(kind.__name__), code(str(kind.exit_code)), " ".join((kind.__doc__ or "").split())
            yield from _errors(kind)
