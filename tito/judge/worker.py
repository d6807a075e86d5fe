"""In a judge's process: runs the judge halves of tests on observed values. No student code runs here, unless a test
itself runs what it was given."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, TracebackType
from typing import Any

from tito.sandbox.inside.codec import CodecError, Packed
from tito.sandbox.inside.last_value import LAST_VALUE, last_value_text
from tito.sandbox.inside.wire import more

MESSAGE = 2000  # characters of a message that are told
UNSAID = "A check of this test failed."
NO_VALUE = "What your code returned is not of the kind that this test looks at."


def judge(request: dict[str, Any], observed: Packed, measured: dict[str, float] | None = None) -> dict[str, Any]:
    """Run one judge half in a fresh namespace: yes, no with the author's message, or a fault of the test's own.

    Named checks all run, each on a copy of what the half's common part left; a common part that fails, fails them.
    Each part's lines on what was measured run after it; where there are any and nothing was measured, that is a fault.
    """
    if any(request["measured"]) and measured is None:
        return _fault("its time and memory were not measured")
    try:
        namespace = {"__name__": "__judge__"} | imported(request["imports"])
        exec(compiled(request["given"], "<given>"), namespace)
        sources = {f"<judge {number}>": source for number, source in enumerate((request["judge"], *request["checks"]))}
        lines = {f"<measured {number}>": source for number, source in enumerate(request["measured"])}
        parts = [compiled(source, file) for file, source in sources.items()]
        of_measured = [compiled(source, file) for file, source in lines.items()]
    except Exception as error:  # noqa: BLE001  (whatever a test's own set-up raises is the test's fault)
        return _fault(f"{type(error).__name__}: {error}")
    sources |= lines
    (common_part, *named) = [Part(*codes, measured or {}) for codes in zip(parts, of_measured, strict=True)]
    try:
        namespace.update(observed.values(more, request["observed"]))
    except CodecError as error:
        common = {"yes": False, "message": NO_VALUE, "detail": f"it is no value: {error}"}
    else:
        common = judgement(common_part, namespace, sources, request["hidden"])
    checks = [
        judgement(part, dict(namespace), sources, request["hidden"]) if common["yes"] else common for part in named
    ]
    first_no = next((answer for answer in (common, *checks) if not answer["yes"]), common)
    value = {"value": last_value_text(namespace)} if LAST_VALUE in namespace else {}
    return first_no | value | {"checks": checks, "fault": ""}


@dataclass(frozen=True)
class Part:
    """A part of a judge half, its lines on what was measured, and what these find in names of their own."""

    code: CodeType
    of_measured: CodeType
    measured: dict[str, float]

    def run(self, namespace: dict[str, Any]) -> None:
        exec(self.code, namespace)
        exec(self.of_measured, namespace | self.measured)


def _fault(why: str) -> dict[str, Any]:
    return {"fault": why, "yes": False, "message": "", "detail": "", "checks": []}


@lru_cache(maxsize=256)
def imported(source: str) -> dict[str, Any]:
    """What import statements bind: the same for all tests and submissions."""
    namespace: dict[str, Any] = {}
    exec(compiled(source, "<imports>"), namespace)
    return namespace


@lru_cache(maxsize=2048)
def compiled(source: str, file: str) -> CodeType:
    """The code of a part of a test: the same for all submissions."""
    return compile(source, file, "exec")


def judgement(part: Part, namespace: dict[str, Any], sources: dict[str, str], hidden: bool) -> dict[str, Any]:
    """Run a judgement: whether it passed, and if not, what to tell whom."""
    try:
        part.run(namespace)
    except AssertionError as error:
        return {"yes": False, "message": message_of(error, sources, hidden), "detail": str(error)[:4000]}
    except BaseException as error:  # noqa: BLE001  (values of an unexpected kind make a judge raise anything)
        return {"yes": False, "message": NO_VALUE, "detail": f"{type(error).__name__}: {error}"[:4000]}
    return {"yes": True, "message": "", "detail": ""}


def message_of(error: AssertionError, sources: dict[str, str], hidden: bool) -> str:
    """What a student may read of a failed assertion.

    Of a visible check, all of it. Of a hidden one, only what the author wrote as constant text: a value in the
    message may hold the expected result, or text that student code smuggled out of a hidden test.
    """
    if not hidden:
        return str(error).strip()[:MESSAGE] or UNSAID
    file, line = _place_in_judge(error.__traceback__, sources)
    return constant_message(sources.get(file, ""), line) or UNSAID


@lru_cache(maxsize=2048)
def constant_message(source: str, line: int) -> str:
    """What the author wrote as constant text in the message of the check on that line."""
    statements = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt) and _covers(node, line)]
    return _constant_text(_message_node(statements[-1])) if statements else ""


def _place_in_judge(trace: TracebackType | None, sources: dict[str, str]) -> tuple[str, int]:
    """The innermost line of the judge half's own that an error came through."""
    place = ("", 0)
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in sources:
            place = (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
        trace = trace.tb_next
    return place


def _covers(node: ast.stmt, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def _message_node(statement: ast.stmt) -> ast.expr | None:
    if isinstance(statement, ast.Assert):
        return statement.msg
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return next((keyword.value for keyword in statement.value.keywords if keyword.arg == "err_msg"), None)
    return None


def _constant_text(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_constant_text(part) or "…" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _constant_text(node.left) + _constant_text(node.right)
    return ""
