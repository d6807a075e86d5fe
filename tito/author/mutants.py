"""Source of a solution → mutants of it: the same solution with one thing wrong. Nothing is run here.

Sites are located by cosmic-ray's operators, through their position interface over one parsed tree, and by our own for
numeric code (`mutation_operators`), the extreme ones first. What a mutant says in words is left alone: messages,
documentation, annotations. Where several operators say the same of a place, the first of them does.
"""

from __future__ import annotations

import ast
import copy
import difflib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeGuard

from tito.course.python_source import UNPARSABLE, parsed
from tito.errors import PlatformError

COSMIC_RAY = "cosmic-ray"
EXTRA_HINT = "Run 'pip install \"tinytorch-tito[author]\"' (in a checkout: make setup)."
# Of cosmic-ray's operators those that students' mistakes look like, by module and class, with what they say of a place.
# Of the 132 exchanges of an operator for another most only make the same line wrong once more.
CHOSEN: dict[str, tuple[tuple[str, str], ...]] = {
    "arithmetic": tuple(
        ("binary_operator_replacement", f"ReplaceBinaryOperator_{exchange}")
        for exchange in (
            "Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Div", "Mod_Mul", "Pow_Mul", "LShift_RShift",
            "RShift_LShift", "BitAnd_BitOr", "BitOr_BitAnd", "BitXor_BitOr",
        )
    ),
    "boundary": tuple(
        ("comparison_operator_replacement", f"ReplaceComparisonOperator_{exchange}")
        for exchange in ("Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt")
    ),
    "negation": (
        *(
            ("comparison_operator_replacement", f"ReplaceComparisonOperator_{exchange}")
            for exchange in ("Eq_NotEq", "NotEq_Eq", "Lt_GtE", "GtE_Lt", "Gt_LtE", "LtE_Gt", "Is_IsNot", "IsNot_Is")
        ),
        ("boolean_replacer", "AddNot"),
        ("unary_operator_replacement", "ReplaceUnaryOperator_Delete_Not"),
    ),
    "boolean": tuple(
        ("boolean_replacer", name)
        for name in ("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd")
    ),
    "control": (
        ("break_continue", "ReplaceBreakWithContinue"),
        ("break_continue", "ReplaceContinueWithBreak"),
        ("exception_replacer", "ExceptionReplacer"),
        ("zero_iteration_for_loop", "ZeroIterationForLoop"),
        ("remove_decorator", "RemoveDecorator"),
    ),
    "constant": (("number_replacer", "NumberReplacer"),),
    "sign": (
        ("unary_operator_replacement", "ReplaceUnaryOperator_Delete_USub"),
        ("unary_operator_replacement", "ReplaceUnaryOperator_Delete_Invert"),
    ),
}  # fmt: skip
# Of a line these are taken once: one more or less here says of the line's tests what one more or less there does.
OF_LINES = frozenset(("constant up", "constant down", "factor", "sign", "type"))
TALKING = frozenset(("print", "warn", "debug", "info", "warning", "error", "exception", "critical", "log"))


class PositionOperator(Protocol):
    """What cosmic-ray's operators and ours can be asked."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]: ...

    def mutate(self, node: Any, index: int) -> Any: ...


@dataclass(frozen=True)
class Named:
    """An operator, what it is called, and what it says of a place."""

    operator: PositionOperator
    name: str
    families: tuple[str, ...]  # by the number of the mutation; the last for all others
    is_extreme: bool = False

    def family(self, index: int) -> str:
        return self.families[min(index, len(self.families) - 1)]


@dataclass(frozen=True)
class Mutant:
    """A cell of a solution with one thing wrong. `line` is where, in the text that was mutated, from 1."""

    solution: str  # "reference", or the name of a variant that is right too
    cell: str
    line: int
    operator: str
    family: str
    is_extreme: bool
    removed: tuple[str, ...]
    added: tuple[str, ...]
    source: str

    @property
    def digest(self) -> str:
        """What it does, in eight characters: another one as soon as a line of it is another."""
        text = "\0".join(["-", *map(str.strip, self.removed), "+", *map(str.strip, self.added)])
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    @property
    def name(self) -> str:
        """Who it is among all of a module's."""
        return mutant_name(self.solution, self.cell, self.line, self.digest)


def mutant_name(solution: str, cell: str, line: int, digest: str) -> str:
    """How mutants, what is known of them, and marks find each other."""
    return f"{solution}/{cell}/{line}/{digest}"


@cache
def cosmic_ray_operators() -> tuple[Named, ...]:
    """The chosen operators.

    Raises:
        PlatformError: cosmic-ray is not installed.
    """
    from importlib import import_module

    operators = []
    for family, chosen in CHOSEN.items():
        for module, name in chosen:
            try:
                operator = getattr(import_module(f"cosmic_ray.operators.{module}"), name)()
            except ImportError as error:
                message = f"Mutants are made with {COSMIC_RAY}, which is not installed."
                raise PlatformError(message, hint=EXTRA_HINT) from error
            families = (f"{family} up", f"{family} down") if name == "NumberReplacer" else (family,)
            operators.append(Named(operator, name, families))
    return tuple(operators)


def operators_hash() -> str:
    """Changes with anything that makes other mutants. Of cosmic-ray a minor version is asked for, and none need be
    installed where a proof is only read."""
    here = Path(__file__)
    texts = [path.read_text(encoding="utf-8") for path in (here, here.with_name("mutation_operators.py"))]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def cosmic_ray_version() -> str:
    """The version that is installed; nothing where it is not."""
    try:
        return version(COSMIC_RAY)
    except PackageNotFoundError:
        return ""


def mutants_of(
    text: str, solution: str, cell: str, lines: frozenset[int], submitted: Callable[[str], str]
) -> list[Mutant]:
    """Mutants of a cell, the extreme ones first.

    Args:
        text: the cell as it was written.
        lines: numbers of the lines that are the student's to write; nothing else is changed.
        submitted: makes of such a text, mutated, what a student would hand in.

    Raises:
        PlatformError: cosmic-ray is not installed.
    """
    import parso

    from tito.author.mutation_operators import FILLED_LIKE, FILLED_LIKE_SOURCE, numeric_operators

    try:
        forms = {_normal_form(text)}
    except UNPARSABLE:
        return []  # magics, or no Python at all: parso would read something into it
    ours = [Named(each, type(each).__name__, (each.family,), each.is_extreme) for each in numeric_operators(lines)]
    mutants: list[Mutant] = []
    places: dict[tuple[tuple[int, int], str], str] = {}  # by whom something was said of a place
    nodes = list(_visited(parso.parse(text)))
    for named in sorted((*ours, *cosmic_ray_operators()), key=lambda each: not each.is_extreme):
        for node in nodes:
            for index, (start, _) in enumerate(named.operator.mutation_positions(node)):
                family = named.family(index)
                place = (start[0], 0) if family in OF_LINES else start, family
                is_said = place in places and (family in OF_LINES or places[place] != named.name)
                if start[0] not in lines or is_said:
                    continue
                mutated = _mutated(text, node, named.operator, index)
                try:
                    form = _normal_form(mutated)
                except UNPARSABLE:
                    continue
                if form in forms:
                    continue
                forms.add(form)
                if not named.is_extreme:
                    places[place] = named.name
                removed, added, line = _difference(text, mutated)
                helper = FILLED_LIKE_SOURCE if FILLED_LIKE in mutated else ""
                source = helper + submitted(mutated)
                mutants.append(
                    Mutant(solution, cell, line, named.name, family, named.is_extreme, removed, added, source)
                )
    return mutants


SILENT = frozenset(("string", "strings", "fstring", "fstring_expr", "import_name", "import_from", "raise_stmt"))


def _visited(node: Any) -> Iterator[Any]:
    """The nodes that operators are asked about, a whole before its parts. Left out is what is said in words."""
    if node.type == "atom_expr" and _is_talk(node):
        return
    yield node
    if node.type in SILENT or not hasattr(node, "children"):
        return
    children = list(node.children)
    if node.type == "assert_stmt":
        children = children[:2]
    elif node.type == "annassign":
        children = children[2:]
    elif node.type in ("tfpdef", "decorator") or _is_of_axes(node):
        children = []
    elif node.type == "funcdef":
        children = [child for child in children if child is not node.annotation]
    for child in children:
        yield from _visited(child)


def _is_of_axes(node: Any) -> bool:
    """Whether it is an argument that our own operators change."""
    return node.type == "argument" and node.children[0].get_code().strip() in ("axis", "keepdims")


def _is_talk(node: Any) -> bool:
    """Whether it tells somebody something: print(…), log.warning(…)."""
    called = node.children[-2].get_last_leaf().value if len(node.children) > 1 else ""
    return called in TALKING and node.children[-1].get_code().startswith("(")


def _mutated(text: str, node: Any, operator: PositionOperator, index: int) -> str:
    """The text with one mutation done. Operators change the nodes that they are handed: it is done to a copy."""
    from tito.author.mutation_operators import edited

    twin = copy.deepcopy(node, {id(node.parent): node.parent})
    result = operator.mutate(twin, index)
    start, end, prefix = node.start_pos, node.end_pos, node.get_first_leaf().prefix
    if result is None:
        return edited(text, ((start, end, ""),))
    code = result.get_code()
    code = code[len(prefix) :] if prefix and code.startswith(prefix) else code.lstrip(" ")
    return edited(text, ((start, end, code),))


class _Simplified(ast.NodeTransformer):
    """`not a < b` is `a >= b`, and `2 * 1` is 2."""

    opposites: ClassVar[dict[type[ast.cmpop], type[ast.cmpop]]] = {
        ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt,
        ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    }  # fmt: skip

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        inner = node.operand
        if isinstance(node.op, ast.Not) and isinstance(inner, ast.Compare) and len(inner.ops) == 1:
            return ast.Compare(inner.left, [self.opposites[type(inner.ops[0])]()], inner.comparators)
        if isinstance(node.op, ast.USub) and _is_number(inner):
            return ast.Constant(-inner.value)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Mult) and _is_number(node.left) and _is_number(node.right):
            return ast.Constant(node.left.value * node.right.value)
        return node


def _is_number(node: ast.expr) -> TypeGuard[_Number]:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


class _Number(ast.Constant):
    value: int | float


def _normal_form(text: str) -> str:
    """What a text says, however it is written. Raises what Python does where it is none."""
    compile(text, "<cell>", "exec")
    return ast.dump(_Simplified().visit(parsed(text)))


def _difference(before: str, after: str) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    """Lines that are not there any more, those in their place, and the number of the first."""
    old, new = before.splitlines(), after.splitlines()
    changes = [
        code for code in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if code[0] != "equal"
    ]
    removed = tuple(line for _, start, end, _, _ in changes for line in old[start:end])
    added = tuple(line for _, _, _, start, end in changes for line in new[start:end])
    return removed, added, changes[0][1] + 1
