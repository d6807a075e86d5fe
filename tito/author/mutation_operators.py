"""Mutation operators for numeric code, behind the position interface of cosmic-ray's (`mutation_positions`, `mutate`).

What cosmic-ray changes is Python's: an operator, a constant, a loop. These change what numeric code is wrong by: an
axis, a type, a bound, a term of a sum, a copy that was to be made. A node of a parso tree is looked at at a time, and
what may stand in its place is said as text; whether that is Python at all is for `mutants` to find out.
"""

from __future__ import annotations

import ast
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field

from parso.python.tree import Function, Lambda, Name, Number, ReturnStmt
from parso.tree import BaseNode, Leaf, NodeOrLeaf

Position = tuple[int, int]  # line and column, as parso counts them: lines from 1
Edit = tuple[Position, Position, str]  # from, to, and what stands there instead
Change = tuple[Edit, ...]

FILLED_LIKE = "_filled_like"
FILLED_LIKE_SOURCE = f'''\
def {FILLED_LIKE}(value, number):
    """Something of the kind and size of `value` that holds nothing but `number`."""
    import copy
    import numpy
    if isinstance(value, dict):
        return {{key: {FILLED_LIKE}(each, number) for key, each in value.items()}}
    if isinstance(value, (list, tuple)):
        filled = [{FILLED_LIKE}(each, number) for each in value]
        return type(value)(*filled) if hasattr(value, "_fields") else type(value)(filled)
    if isinstance(value, (bool, int, float, complex, numpy.generic)):
        return type(value)(number)
    if isinstance(value, numpy.ndarray):
        return numpy.full_like(value, number)
    if isinstance(getattr(value, "data", None), numpy.ndarray):
        same = copy.copy(value)
        same.data = numpy.full_like(value.data, number)
        return same
    return None


'''


class Operator(ABC):
    """One way in which numeric code is wrong. `family`: operators of one family say the same of the same place."""

    family = ""
    is_extreme = False

    @abstractmethod
    def changes(self, node: NodeOrLeaf) -> Iterator[Change]:
        """What may be done to a node."""

    def mutation_positions(self, node: NodeOrLeaf) -> Iterator[tuple[Position, Position]]:
        """Where each of the changes begins, and where it ends."""
        for change in self.changes(node):
            yield change[0][0], change[-1][1]

    def mutate(self, node: NodeOrLeaf, index: int) -> NodeOrLeaf:
        """The node with one of the changes done: a leaf, whose text it is."""
        change = list(self.changes(node))[index]
        code = edited(node.get_code(include_prefix=False), change, node.start_pos)
        return Name(code, node.start_pos, node.get_first_leaf().prefix)


def edited(code: str, change: Change, start: Position = (1, 0)) -> str:
    """A text in which some parts are replaced; its first character stands at `start`."""
    lines = code.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))

    def offset(position: Position) -> int:
        row, column = position[0] - start[0], position[1]
        return starts[row] + (column - start[1] if row == 0 else column)

    for first, last, text in sorted(change, reverse=True):
        code = code[: offset(first)] + text + code[offset(last) :]
    return code


def _in_place_of(node: NodeOrLeaf, text: str) -> Change:
    return ((node.start_pos, node.end_pos, text),)


def _text(*nodes: NodeOrLeaf) -> str:
    """What stands there, on one line."""
    first, *rest = nodes
    return re.sub(r"\s*\n\s*", " ", first.get_code(include_prefix=False) + "".join(node.get_code() for node in rest))


# ---- calls -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Argument:
    """One argument of a call, as it is written."""

    node: NodeOrLeaf
    keyword: str = ""
    value: NodeOrLeaf | None = None
    is_starred: bool = False

    @property
    def text(self) -> str:
        return _text(self.node)


@dataclass(frozen=True)
class Call:
    """A call that stands in an expression: what is called, by its last name, on what, and with what."""

    start: Position
    trailer: BaseNode
    name: str
    receiver: str  # of a method, or the module of a function
    name_leaf: Leaf
    arguments: tuple[Argument, ...]
    is_of_module: bool  # a function by itself or of a module: `np.abs(x)`, where `x.max()` is a method

    @property
    def positional(self) -> tuple[Argument, ...]:
        return tuple(argument for argument in self.arguments if not argument.keyword)

    @property
    def is_plain(self) -> bool:
        """Whether it is written out what each argument is."""
        return not any(argument.is_starred for argument in self.arguments)

    def keyword(self, name: str) -> Argument | None:
        return next((argument for argument in self.arguments if argument.keyword == name), None)

    def replaced(self, text: str) -> Change:
        """Something else in the place of all of it."""
        return ((self.start, self.trailer.end_pos, text),)

    def with_arguments(self, texts: list[str]) -> Change:
        return ((self.trailer.start_pos, self.trailer.end_pos, f"({', '.join(texts)})"),)

    def without(self, dropped: Argument) -> Change:
        return self.with_arguments([argument.text for argument in self.arguments if argument is not dropped])

    def with_value(self, argument: Argument, value: str) -> Change:
        texts = [f"{each.keyword}={value}" if each is argument else each.text for each in self.arguments]
        return self.with_arguments(texts)


MODULES = frozenset(("np", "numpy", "math", "copy"))


def calls_in(node: NodeOrLeaf) -> Iterator[Call]:
    """The calls of an expression, `a.b(c).d(e)` has two; those among its arguments are other nodes'."""
    if node.type not in ("atom_expr", "power") or not isinstance(node, BaseNode):
        return
    children = node.children
    for at in range(1, len(children)):
        trailer = children[at]
        if trailer.type != "trailer" or not isinstance(trailer, BaseNode) or trailer.children[0].get_code() != "(":
            continue
        callee = children[at - 1]
        name = callee if isinstance(callee, Name) else callee.get_last_leaf()
        if not isinstance(name, Name) or children[0].get_code(include_prefix=False) == "await":
            continue
        receiver = _text(*children[: at - 1]) if at > 1 else ""
        yield Call(
            start=node.start_pos,
            trailer=trailer,
            name=name.value,
            receiver=receiver,
            name_leaf=name,
            arguments=tuple(_arguments(trailer)),
            is_of_module=at == 1 or receiver in MODULES,
        )


def _arguments(trailer: BaseNode) -> Iterator[Argument]:
    inner = trailer.children[1]
    if inner.get_code(include_prefix=False) == ")":
        return
    nodes = inner.children if inner.type == "arglist" and isinstance(inner, BaseNode) else [inner]
    for node in nodes:
        code = node.get_code(include_prefix=False)
        if code == ",":
            continue
        if node.type == "argument" and isinstance(node, BaseNode):
            first, second = node.children[0], node.children[1].get_code(include_prefix=False)
            if second == "=" and isinstance(first, Name):
                yield Argument(node, first.value, node.children[2])
                continue
        yield Argument(node, is_starred=code.startswith("*"))


class OfCalls(Operator):
    """An operator that changes calls."""

    def changes(self, node: NodeOrLeaf) -> Iterator[Change]:
        for call in calls_in(node):
            yield from self.changes_of(call)

    @abstractmethod
    def changes_of(self, call: Call) -> Iterator[Change]:
        """What may be done to a call."""


class OtherAxis(OfCalls):
    """The first axis for the last, the last for any other."""

    family = "axis"

    def changes_of(self, call: Call) -> Iterator[Change]:
        axis = call.keyword("axis")
        if axis is not None and axis.value is not None:
            yield call.with_value(axis, "-1" if _text(axis.value) == "0" else "0")


class AxisDropped(OfCalls):
    """All axes at once."""

    family = "axis dropped"

    def changes_of(self, call: Call) -> Iterator[Change]:
        axis = call.keyword("axis")
        if axis is not None:
            yield call.without(axis)


class KeepdimsDropped(OfCalls):
    """An axis that is lost, or broadcast another way."""

    family = "keepdims"

    def changes_of(self, call: Call) -> Iterator[Change]:
        keepdims = call.keyword("keepdims")
        if keepdims is not None:
            yield call.without(keepdims)


REDUCTIONS = {
    "sum": "mean", "mean": "sum", "prod": "sum", "max": "min", "min": "max", "amax": "amin", "amin": "amax",
    "argmax": "argmin", "argmin": "argmax", "std": "var", "var": "std", "median": "mean", "all": "any", "any": "all",
    "maximum": "minimum", "minimum": "maximum", "cumsum": "cumprod", "nansum": "nanmean", "nanmax": "nanmin",
    "nanmin": "nanmax", "logical_and": "logical_or", "logical_or": "logical_and",
}  # fmt: skip
BUILT_IN = {"sum": "max", "min": "max", "max": "min", "all": "any", "any": "all"}


class OtherReduction(OfCalls):
    """A mean for a sum, the smallest for the largest."""

    family = "reduction"

    def changes_of(self, call: Call) -> Iterator[Change]:
        other = (REDUCTIONS if call.receiver else BUILT_IN).get(call.name)
        if other:
            yield _in_place_of(call.name_leaf, other)


OTHER_ROUNDING = {"rint": "trunc", "round": "trunc", "around": "trunc", "floor": "ceil", "ceil": "floor", "fix": "rint"}
ROUNDING = frozenset((*OTHER_ROUNDING, "trunc"))
MAGNITUDE = frozenset(("abs", "absolute", "fabs"))
BOUNDS = frozenset(("min", "max", "minimum", "maximum"))


class BoundDropped(OfCalls):
    """No magnitude, no rounding; of a clip or a bound, none or the other."""

    family = "bound"

    def changes_of(self, call: Call) -> Iterator[Change]:
        if not call.is_plain:
            return
        texts = [argument.text for argument in call.positional]
        if call.name in MAGNITUDE | ROUNDING and call.is_of_module and texts:
            yield call.replaced(f"({texts[0]})")
        elif call.name in ROUNDING and call.receiver and not texts:
            yield call.replaced(call.receiver)
        elif call.name in BOUNDS and call.is_of_module and len(texts) == 2:
            yield from (call.replaced(f"({text})") for text in texts)
        elif call.name == "clip":
            yield from self._of_clip(call, texts)

    @staticmethod
    def _of_clip(call: Call, texts: list[str]) -> Iterator[Change]:
        values = [texts[0]] if call.is_of_module and texts else []
        bounds = texts[1:] if call.is_of_module else texts
        yield call.replaced(f"({values[0]})" if values else call.receiver)
        if len(bounds) == 2:
            rest = [argument.text for argument in call.arguments if argument.keyword]
            yield call.with_arguments([*values, "None", bounds[1], *rest])
            yield call.with_arguments([*values, bounds[0], "None", *rest])


class OtherRounding(OfCalls):
    """Cut off for rounded, up for down."""

    family = "rounding"

    def changes_of(self, call: Call) -> Iterator[Change]:
        if call.receiver in ("np", "numpy") and call.name in OTHER_ROUNDING:
            yield _in_place_of(call.name_leaf, OTHER_ROUNDING[call.name])
        elif not call.receiver and call.name == "round" and len(call.arguments) == 1:
            yield _in_place_of(call.name_leaf, "int")


class TypeDropped(OfCalls):
    """Numbers of the type that they had."""

    family = "dtype"

    def changes_of(self, call: Call) -> Iterator[Change]:
        if call.name == "astype" and call.receiver:
            yield call.replaced(call.receiver)
        dtype = call.keyword("dtype")
        if dtype is not None:
            yield call.without(dtype)


OTHER_TYPES = {
    "int64": "int32", "int32": "int16", "int16": "int8", "int8": "int16", "uint64": "uint32", "uint32": "uint16",
    "uint16": "uint8", "uint8": "uint16", "float64": "float32", "float32": "float16", "float16": "float32",
    "complex128": "complex64", "complex64": "complex128",
}  # fmt: skip


class OtherType(Operator):
    """A narrower type; for the narrowest, a wider one. Where none is said at all, it is a wide one: `TypeDropped`."""

    family = "type"

    def changes(self, node: NodeOrLeaf) -> Iterator[Change]:
        is_attribute = node.parent is not None and node.parent.type == "trailer"
        if isinstance(node, Name) and node.value in OTHER_TYPES and is_attribute:
            yield _in_place_of(node, OTHER_TYPES[node.value])


class KeywordDropped(OfCalls):
    """A parameter left at its default."""

    family = "default"
    elsewhere = frozenset(("axis", "keepdims", "dtype"))

    def changes_of(self, call: Call) -> Iterator[Change]:
        if call.name != "dict":
            yield from (call.without(each) for each in call.arguments if each.keyword not in {"", *self.elsewhere})


NO_SWAP = frozenset((
    "isinstance", "issubclass", "hasattr", "getattr", "setattr", "range", "super", "type", "print", "open",
    "maximum", "minimum", "min", "max", "logical_and", "logical_or", "add", "multiply",
))  # fmt: skip
LITERALS = ("number", "string", "strings", "lambdef", "comp_for", "fstring", "operator")


class ArgumentsSwapped(OfCalls):
    """Two arguments that stand beside each other, exchanged; where that could make no difference, none are."""

    family = "swap"

    def changes_of(self, call: Call) -> Iterator[Change]:
        if call.name in NO_SWAP or not call.is_plain:
            return
        texts = [argument.text for argument in call.arguments]
        for at, (first, second) in enumerate(zip(call.arguments, call.arguments[1:], strict=False)):
            if call.name == "clip" and call.is_of_module and at == 0:
                continue  # the middle of three
            if not (first.keyword or second.keyword) and {first.node.type, second.node.type}.isdisjoint(LITERALS):
                yield call.with_arguments([*texts[:at], texts[at + 1], texts[at], *texts[at + 2 :]])


COPYING = frozenset(("copy", "deepcopy", "array", "list", "dict"))


class CopyRemoved(OfCalls):
    """Somebody else's array, worked on in place."""

    family = "copy"

    def changes_of(self, call: Call) -> Iterator[Change]:
        values = [argument.text for argument in call.positional]
        if call.name == "copy" and call.receiver and not call.is_of_module and not values:
            yield call.replaced(call.receiver)
        elif call.name in COPYING and call.is_of_module and len(values) == 1 and call.is_plain:
            yield call.replaced(f"({values[0]})")


# ---- arithmetic --------------------------------------------------------------------------------------------


class TermDropped(Operator):
    """A sum that lacks one of its terms."""

    family = "term"

    def changes(self, node: NodeOrLeaf) -> Iterator[Change]:
        if node.type != "arith_expr" or not isinstance(node, BaseNode):
            return
        terms = node.children
        rest = _text(*terms[2:])
        yield _in_place_of(node, rest if terms[1].get_code().strip() == "+" else f"-{rest}")
        for at in range(1, len(terms), 2):
            yield ((terms[at - 1].end_pos, terms[at + 1].end_pos, ""),)


class OperandsSwapped(Operator):
    """The second less the first."""

    family = "swap"

    def changes(self, node: NodeOrLeaf) -> Iterator[Change]:
        if node.type in ("arith_expr", "term") and isinstance(node, BaseNode) and len(node.children) == 3:
            first, operator, second = node.children
            if operator.get_code().strip() in ("-", "/", "//", "@", "%"):
                is_whole = isinstance(second, Leaf) or second.type in ("atom", "atom_expr")
                left = _text(second) if is_whole else f"({_text(second)})"
                yield _in_place_of(node, f"{left} {operator.get_code().strip()} {_text(first)}")


CONSTANT = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")


def _is_zero(node: Number) -> bool:
    return not ast.literal_eval(node.value)


def _is_minus_one(node: Number) -> bool:
    """Whether it says "the last", or "as many as there are"."""
    return node.value == "1" and node.parent is not None and node.parent.type == "factor"


def _is_place_or_base(node: Number) -> bool:
    """Whether it is what is raised to a power, or an index: with the other sign often the same."""
    parent = node.parent
    if parent is None or parent.type not in ("power", "trailer", "subscriptlist"):
        return False
    return parent.type == "subscriptlist" or parent.children[0] is node or parent.children[0].get_code() == "["


class NumberDoubled(Operator):
    """A constant that is twice as large."""

    family = "factor"

    def changes(self, node: NodeOrLeaf) -> Iterator[Change]:
        if isinstance(node, Number) and not _is_zero(node) and not _is_minus_one(node):
            yield _in_place_of(node, f"(2 * {node.value})")


class NumberNegated(Operator):
    """A constant of the other sign."""

    family = "sign"

    def changes(self, node: NodeOrLeaf) -> Iterator[Change]:
        if not isinstance(node, Number) or _is_zero(node) or _is_place_or_base(node):
            return
        if node.parent is not None and node.parent.type != "factor":
            yield _in_place_of(node, f"(-{node.value})")


class _NamedConstant(Operator):
    step = ""

    def changes(self, node: NodeOrLeaf) -> Iterator[Change]:
        if not isinstance(node, Name) or not CONSTANT.fullmatch(node.value) or len(node.value) == 1:
            return
        following = node.get_next_sibling()
        if not node.is_definition() and not (following is not None and following.type == "trailer"):
            yield _in_place_of(node, f"({node.value} {self.step})")


class NamedConstantUp(_NamedConstant):
    """One more than a constant that has a name."""

    family, step = "constant up", "+ 1"


class NamedConstantDown(_NamedConstant):
    """One less."""

    family, step = "constant down", "- 1"


class SliceEnds(Operator):
    """One element fewer, at each end of a slice."""

    family = "slice"

    def changes(self, node: NodeOrLeaf) -> Iterator[Change]:
        if node.type != "subscript" or not isinstance(node, BaseNode):
            return
        parts = node.children
        colon = next((at for at, part in enumerate(parts) if part.get_code().strip() == ":"), None)
        if colon is None:
            return
        start = f"({_text(*parts[:colon])}) + 1" if colon else "1"
        yield ((node.start_pos, parts[colon].start_pos, start),)
        last = parts[colon + 1 : colon + 2]
        if last and last[0].type != "sliceop":
            yield _in_place_of(last[0], f"({_text(last[0])}) - 1")
        else:
            yield ((parts[colon].end_pos, parts[colon].end_pos, "-1"),)


class InPlace(Operator):
    """`a = a + b` done to the array that a parameter `a` is, which the caller holds."""

    family = "copy"

    def changes(self, node: NodeOrLeaf) -> Iterator[Change]:
        if node.type != "expr_stmt" or not isinstance(node, BaseNode) or len(node.children) != 3:
            return
        target, equals, value = node.children
        if not isinstance(target, Name) or equals.get_code().strip() != "=" or not isinstance(value, BaseNode):
            return
        if value.type in ("arith_expr", "term") and len(value.children) == 3:
            first, operator, second = value.children
            function = node.search_ancestor("funcdef")
            names = [each.name.value for each in function.get_params()] if isinstance(function, Function) else []
            if _text(first) == target.value in names and operator.get_code().strip() in ("+", "-", "*"):
                yield _in_place_of(node, f"{target.value} {operator.get_code().strip()}= {_text(second)}")


# ---- statements ----------------------------------------------------------------------------------------------


class StateKept(Operator):
    """A change of state that is not made: an attribute or an element that is not set, a call for its effect."""

    family = "state"

    def changes(self, node: NodeOrLeaf) -> Iterator[Change]:
        if node.type == "raise_stmt" or (self._is_statement(node) and any(True for _ in calls_in(node))):
            yield _in_place_of(node, "pass")
        if node.type != "expr_stmt" or not isinstance(node, BaseNode):
            return
        if node.children[1].type == "operator" and node.children[1].get_code().strip() not in ("=", ":"):
            yield _in_place_of(node, "pass")
            return
        targets = node.children[: len(node.children) - 1 : 2]
        if len(node.children) == 3 and _holds_state(targets[0]):
            yield _in_place_of(node, "pass")
        elif len(node.children) > 3:
            kept_texts = [[_text(other) for other in node.children[::2] if other is not each] for each in targets]
            yield from (
                _in_place_of(node, " = ".join(texts))
                for each, texts in zip(targets, kept_texts, strict=True)
                if _holds_state(each)
            )

    @staticmethod
    def _is_statement(node: NodeOrLeaf) -> bool:
        return node.parent is not None and node.parent.type in ("simple_stmt", "file_input") and node.type != "name"


def _holds_state(target: NodeOrLeaf) -> bool:
    """Whether it is an attribute or an element, or one is among several."""
    if target.type in ("testlist_star_expr", "testlist", "exprlist", "atom") and isinstance(target, BaseNode):
        return any(_holds_state(each) for each in target.children)
    return target.type in ("atom_expr", "power")


class ParameterIgnored(Operator):
    """A function that takes its default for what it was handed."""

    family = "default"

    def changes(self, node: NodeOrLeaf) -> Iterator[Change]:
        if not isinstance(node, Function):
            return
        first = _statements(node)
        if not first:
            return
        at = first[0].start_pos
        for parameter in node.get_params():
            if parameter.default is not None and not parameter.star_count:
                yield ((at, at, f"{parameter.name.value} = {_text(parameter.default)}; "),)


def _statements(function: BaseNode) -> list[NodeOrLeaf]:
    """The statements of a function's body, but for its docstring."""
    body = function.children[-1]
    if body.type != "suite" or not isinstance(body, BaseNode):
        return []
    statements = [child for child in body.children if child.type != "newline"]
    if statements and statements[0].get_first_leaf().type in ("string", "fstring_start"):
        statements = statements[1:]
    return statements


# ---- the extreme ones ----------------------------------------------------------------------------------------


class Extreme(Operator):
    """What all of a function gives, replaced."""

    is_extreme = True

    def changes(self, node: NodeOrLeaf) -> Iterator[Change]:
        if not isinstance(node, Function):
            return
        values = [node.children[-1]] if isinstance(node, Lambda) else _returned(node)
        change = tuple(
            (value.start_pos, value.end_pos, text) for value in values if (text := self.text_for(node, _text(value)))
        )
        if change:
            yield change

    @abstractmethod
    def text_for(self, function: Function, value: str) -> str:
        """What is returned instead."""


def _returned(function: Function) -> list[NodeOrLeaf]:
    """Expressions that a function returns, in their order, those of functions in it left out."""
    returns = [node for node in function.iter_return_stmts() if isinstance(node, ReturnStmt) and len(node.children) > 1]
    return [node.children[1] for node in returns]


class Zeros(Extreme):
    """Something of the same kind and size, all zeros."""

    family = "zeros"

    def text_for(self, function: Function, value: str) -> str:
        return f"{FILLED_LIKE}(({value}), 0)"


class Constant(Extreme):
    """The same with ones."""

    family = "ones"

    def text_for(self, function: Function, value: str) -> str:
        return f"{FILLED_LIKE}(({value}), 1)"


class Input(Extreme):
    """What the function was handed first."""

    family = "input"

    def text_for(self, function: Function, value: str) -> str:
        names = [parameter.name.value for parameter in function.get_params() if not parameter.star_count]
        return next((name for name in names if name not in ("self", "cls")), "")


@dataclass(frozen=True)
class Nothing(Operator):
    """A function that gives nothing does nothing; of its statements those on `lines`, which students write."""

    lines: frozenset[int] = field(default_factory=frozenset)
    family = "nothing"
    is_extreme = True

    def changes(self, node: NodeOrLeaf) -> Iterator[Change]:
        if not isinstance(node, Function) or _returned(node) or node.is_generator():
            return
        written = [statement for statement in _statements(node) if statement.start_pos[0] in self.lines]
        if written:
            last = written[-1].get_last_leaf()
            end = last.start_pos if last.type == "newline" else last.end_pos
            yield ((written[0].start_pos, end, "pass"),)


FINE: tuple[Operator, ...] = (
    OtherAxis(), AxisDropped(), KeepdimsDropped(), OtherReduction(), BoundDropped(), OtherRounding(), TypeDropped(),
    OtherType(), TermDropped(), OperandsSwapped(), NumberDoubled(), NumberNegated(), NamedConstantUp(),
    NamedConstantDown(), SliceEnds(), KeywordDropped(), ParameterIgnored(), ArgumentsSwapped(), CopyRemoved(),
    InPlace(), StateKept(),
)  # fmt: skip


def numeric_operators(lines: frozenset[int]) -> tuple[Operator, ...]:
    """All of them, the extreme ones first; `lines` are those that students write."""
    return (Zeros(), Constant(), Input(), Nothing(lines), *FINE)
