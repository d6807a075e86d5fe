"""What of a test is a student's word, told from its source: observed names that are a yes or a no already, and values
that a judge would run. Nothing is run here."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from tito.course.cells import Cell
from tito.course.python_source import parsed
from tito.models import CellKind, JudgePlan, Section

# Functions and methods that answer yes or no, or an array of that.
ANSWERING = frozenset((
    "all", "allclose", "any", "array_equal", "array_equiv", "bool", "bool_", "callable", "can_cast", "endswith", "eq",
    "equal", "exists", "ge", "greater", "greater_equal", "gt", "hasattr", "is_", "is_dir", "is_file", "is_not",
    "isalnum", "isalpha", "isclose", "isdigit", "isdisjoint", "isfinite", "isin", "isinf", "isinstance", "islower",
    "isnan", "isscalar", "isspace", "issubclass", "issubdtype", "issubset", "issuperset", "isupper", "le", "less",
    "less_equal", "logical_and", "logical_not", "logical_or", "logical_xor", "lt", "may_share_memory", "ne",
    "not_equal", "not_", "shares_memory", "startswith", "truth", "__eq__", "__ne__", "__contains__",
))  # fmt: skip
# Functions that pass on what they are handed.
PASSING_ON = frozenset((
    "array", "asarray", "astype", "count_nonzero", "dict", "float", "format", "int", "item", "list", "max", "mean",
    "min", "repr", "set", "sorted", "str", "sum", "tolist", "tuple",
))  # fmt: skip
ADDING = frozenset(("add", "append", "extend", "insert", "setdefault", "update"))


def yes_or_no_names(section: Section, plan: JudgePlan, cells: Iterable[Cell]) -> list[str]:
    """Observed names that the observe half computes as a yes or no, and that are not declared to be reported."""
    flags = _Flags()
    for cell in cells:
        if cell.is_code and cell.kind in (CellKind.LOCKED, CellKind.PLAIN):
            flags.learn_functions(cell.source)
    flags.learn_functions(section.observe)
    flags.follow(parsed(section.observe).body)
    return [name for name in plan.observed if name in flags.names and name not in section.reported]


class _Flags:
    """Names that hold a yes or no, or a container of some, as statements are followed."""

    def __init__(self, functions: frozenset[str] = frozenset()) -> None:
        self.names: set[str] = set()
        self.functions = set(functions)

    def learn_functions(self, source: str) -> None:
        """Take note of functions that return a yes or no."""
        try:
            body = parsed(source).body
        except SyntaxError:
            return
        for statement in body:
            if isinstance(statement, ast.FunctionDef):
                inner = _Flags(frozenset(self.functions))
                inner.follow(statement.body)
                returned = (node.value for node in ast.walk(statement) if isinstance(node, ast.Return) and node.value)
                if any(map(inner.is_flag, returned)):
                    self.functions.add(statement.name)
            elif (
                isinstance(statement, ast.Assign)
                and isinstance(statement.value, ast.Lambda)
                and self.is_flag(statement.value.body)
            ):
                self.functions |= {target.id for target in statement.targets if isinstance(target, ast.Name)}

    def follow(self, statements: Iterable[ast.stmt]) -> None:
        """Follow statements twice: what a loop sets is read in its next round."""
        for _ in range(2):
            for statement in statements:
                for node in ast.walk(statement):
                    self._step(node)

    def _step(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(target, node.value)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr | ast.AugAssign) and node.value is not None:
            self._bind(node.target, node.value)
        elif isinstance(node, ast.For | ast.comprehension):
            self._bind(node.target, node.iter)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and self._adds_a_flag(node):
            self._mark(node.func.value)

    def _adds_a_flag(self, call: ast.Call) -> bool:
        handed = (*call.args, *(keyword.value for keyword in call.keywords))
        return _name_of(call.func) in ADDING and any(map(self.is_flag, handed))

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        sequences = (ast.Tuple, ast.List)
        if isinstance(target, sequences) and isinstance(value, sequences) and len(target.elts) == len(value.elts):
            for element, its in zip(target.elts, value.elts, strict=True):
                self._bind(element, its)
            return
        stored = isinstance(target, ast.Attribute) or (
            isinstance(target, ast.Subscript) and isinstance(value, ast.Constant)
        )
        if not stored and self.is_flag(value):
            self._mark(target)

    def _mark(self, target: ast.expr) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            for element in target.elts:
                self._mark(element)
        while isinstance(target, ast.Attribute | ast.Subscript | ast.Starred):
            target = target.value
        if isinstance(target, ast.Name):
            self.names.add(target.id)

    def is_flag(self, node: ast.expr | None) -> bool:
        """Whether an expression is a yes or no, is computed from one, or holds one."""
        if isinstance(node, ast.Compare):
            return True
        if isinstance(node, ast.Constant):
            return isinstance(node.value, bool)
        if isinstance(node, ast.UnaryOp):
            return isinstance(node.op, ast.Not) or self.is_flag(node.operand)
        if isinstance(node, ast.Name):
            return node.id in self.names
        if isinstance(node, ast.Call):
            return self._call_is_flag(node)
        if isinstance(node, ast.IfExp):
            chosen = (node.body, node.orelse)
            return all(isinstance(choice, ast.Constant) for choice in chosen) or any(map(self.is_flag, chosen))
        if isinstance(node, ast.Subscript):
            literal = isinstance(node.value, ast.List | ast.Tuple | ast.Dict)
            return self.is_flag(node.value) or (literal and self.is_flag(node.slice))
        return any(map(self.is_flag, _parts(node)))

    def _call_is_flag(self, call: ast.Call) -> bool:
        name = _name_of(call.func)
        if name in ANSWERING or name in self.functions:
            return True
        handed = [*call.args, *(keyword.value for keyword in call.keywords if name == "dict")]
        if isinstance(call.func, ast.Attribute):
            handed.append(call.func.value)
        return name in PASSING_ON and any(map(self.is_flag, handed))


def _parts(node: ast.expr | None) -> Iterator[ast.expr | None]:
    """The expressions of which an expression is made, where it holds them or is calculated from them."""
    if isinstance(node, ast.BoolOp):
        yield from node.values
    elif isinstance(node, ast.BinOp):
        yield from (node.left, node.right)
    elif isinstance(node, ast.List | ast.Tuple | ast.Set):
        yield from node.elts
    elif isinstance(node, ast.Dict):
        yield from node.values
    elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
        yield node.elt
    elif isinstance(node, ast.DictComp):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield from node.values
    elif isinstance(node, ast.FormattedValue | ast.Starred | ast.NamedExpr):
        yield node.value


def _name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
