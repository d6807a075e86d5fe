"""Source → mutants: what is changed, what is left alone, and that operators of cosmic-ray's and ours answer alike."""

from __future__ import annotations

import ast
import sys
from collections import Counter

import pytest

from tito.author.mutants import CHOSEN, Mutant, cosmic_ray_operators, mutants_of, operators_hash
from tito.author.mutation_operators import FILLED_LIKE, FILLED_LIKE_SOURCE, FINE, numeric_operators
from tito.errors import PlatformError


def mutants(text: str, lines: frozenset[int] | None = None) -> list[Mutant]:
    every = frozenset(range(1, text.count("\n") + 2))
    return mutants_of(text, "reference", "cell", lines or every, lambda mutated: mutated)


def added(text: str, operator: str = "") -> set[str]:
    """The line that each mutant of a text has in the place of another."""
    return {" | ".join(map(str.strip, each.added)) for each in mutants(text) if operator in ("", each.operator)}


@pytest.mark.parametrize(
    ("operator", "line", "wanted"),
    [
        ("OtherAxis", "s = x.sum(axis=0)", {"s = x.sum(axis=-1)"}),
        ("OtherAxis", "s = np.mean(x, axis=(1, 2))", {"s = np.mean(x, axis=0)"}),
        ("AxisDropped", "s = x.sum(axis=0, keepdims=True)", {"s = x.sum(keepdims=True)"}),
        ("KeepdimsDropped", "s = x.sum(axis=0, keepdims=True)", {"s = x.sum(axis=0)"}),
        ("OtherReduction", "s = x.max()", {"s = x.min()"}),
        ("OtherReduction", "s = sum(x)", {"s = max(x)"}),
        ("OtherReduction", "s = maximum(x)", set()),
        ("BoundDropped", "s = np.abs(x - y)", {"s = (x - y)"}),
        ("BoundDropped", "s = np.rint(x)", {"s = (x)"}),
        ("BoundDropped", "s = x.round()", {"s = x"}),
        ("BoundDropped", "s = max(a, 0.0)", {"s = (a)", "s = (0.0)"}),
        (
            "BoundDropped",
            "s = np.clip(x, low, high)",
            {"s = (x)", "s = np.clip(x, None, high)", "s = np.clip(x, low, None)"},
        ),
        ("BoundDropped", "s = x.clip(0, 1)", {"s = x", "s = x.clip(None, 1)", "s = x.clip(0, None)"}),
        ("OtherRounding", "s = np.rint(x)", {"s = np.trunc(x)"}),
        ("OtherRounding", "s = round(x)", {"s = int(x)"}),
        ("OtherRounding", "s = round(x, 2)", set()),
        ("TypeDropped", "s = x.astype(np.int8) + 1", {"s = x + 1"}),
        ("TypeDropped", "s = np.zeros(3, dtype=np.int8)", {"s = np.zeros(3)"}),
        ("OtherType", "s = x.astype(np.float32)", {"s = x.astype(np.float16)"}),
        ("OtherType", "s = np.int8(x)", {"s = np.int16(x)"}),
        ("TermDropped", "s = a - b + c", {"s = -b + c", "s = a + c", "s = a - b"}),
        ("OperandsSwapped", "s = a / f(b)", {"s = f(b) / a"}),
        ("OperandsSwapped", "s = a * b", set()),
        ("NumberDoubled", "s = x + 0.5", {"s = x + (2 * 0.5)"}),
        ("NumberDoubled", "s = x + 0", set()),
        ("NumberNegated", "s = f(128)", {"s = f((-128))"}),
        ("NamedConstantUp", "s = x - LOW", {"s = x - (LOW + 1)"}),
        ("NamedConstantUp", "LOW = x", set()),
        ("SliceEnds", "s = x[1:n]", {"s = x[(1) + 1:n]", "s = x[1:(n) - 1]"}),
        ("SliceEnds", "s = x[:, 2:]", {"s = x[:, (2) + 1:]", "s = x[:, 2:-1]"}),
        ("KeywordDropped", "s = layer(x, training=False)", {"s = layer(x)"}),
        ("ArgumentsSwapped", "s = f(a, b, 3)", {"s = f(b, a, 3)"}),
        ("ArgumentsSwapped", "s = isinstance(a, b)", set()),
        ("CopyRemoved", "s = x.copy()", {"s = x"}),
        ("CopyRemoved", "s = copy.deepcopy(model)", {"s = (model)"}),
        ("InPlace", "def f(s):\n    s = s + b", {"s += b"}),
        ("InPlace", "def f(s):\n    t = 0\n    t = t + b", set()),
        ("NumberDoubled", "s = x.reshape(-1)", set()),
        ("NumberNegated", "s = x[1] + 2**20", {"s = x[1] + 2**(-20)"}),
        ("ArgumentsSwapped", "s = np.clip(x, low, high)", {"s = np.clip(x, high, low)"}),
        ("InPlace", "s = a + b", set()),
        ("StateKept", "self.scale = x", {"pass"}),
        ("StateKept", "total += x", {"pass"}),
        ("StateKept", "layer.fit(x)", {"pass"}),
        ("StateKept", "layers[i] = layer = f(x)", {"layer = f(x)"}),
        ("StateKept", "scale = x", set()),
        ("StateKept", "print(f(x))", set()),
        ("StateKept", "raise ValueError(f'{x} is 1')", {"pass"}),
        ("ParameterIgnored", "def f(a, b=None):\n    return b or a", {"b = None; return b or a"}),
        ("Zeros", "def f(a):\n    return a + 1", {f"return {FILLED_LIKE}((a + 1), 0)"}),
        ("Constant", "f = lambda a: a + 1", {f"f = lambda a: {FILLED_LIKE}((a + 1), 1)"}),
        ("Input", "def f(self, a):\n    return a + 1", {"return a"}),
        ("Input", "def f(self):\n    return 1", set()),
        ("Nothing", "def f(self, a):\n    self.a = a\n    self.b = 2", {"pass"}),
        ("ReplaceBinaryOperator_Mul_Div", "s = a * b", {"s = a / b"}),
        ("NumberReplacer", "s = x[-3]", {"s = x[-4]", "s = x[-2]"}),
        ("ReplaceComparisonOperator_Lt_LtE", "s = a < b", {"s = a <= b"}),
        ("ReplaceBreakWithContinue", "for a in b:\n    break", {"continue"}),
        ("ZeroIterationForLoop", "for a in b:\n    s = a", {"for a in []:"}),
    ],
)
def test_an_operator_makes_its_mistake_and_no_other(operator: str, line: str, wanted: set[str]) -> None:
    assert added(line, operator) == wanted


@pytest.mark.parametrize(
    "text",
    [
        '"""Documentation of 1 + 1."""',
        "x: int | None = y",
        "def f(a: A | B) -> C | D:\n    pass",
        "print(a + 1, 3)",
        "logger.warning(f'{a + 1}', 3)",
        "s = f'{a + 1} of {b:3}'",
        "import numpy as np",
        "assert y, f'{x} is not 1'",
        "# a + 1",
    ],
)
def test_what_is_said_in_words_is_left_alone(text: str) -> None:
    assert {each.operator for each in mutants(text)} <= {"AddNot"}  # of an assertion's condition


def test_all_returns_of_a_function_are_replaced_and_those_of_functions_in_it_are_not() -> None:
    text = "def f(a):\n    def g(b):\n        return b\n    if a:\n        return 1\n    return g(a)"
    first, second = (each for each in mutants(text) if each.operator == "Zeros")
    assert [line.strip() for line in first.added] == [
        f"return {FILLED_LIKE}((1), 0)",
        f"return {FILLED_LIKE}((g(a)), 0)",
    ]
    assert [line.strip() for line in second.added] == [f"return {FILLED_LIKE}((b), 0)"]


def test_a_function_of_which_a_part_is_given_loses_what_the_student_writes() -> None:
    text = (
        "def f(self, a):\n    self.a = a\n    ### BEGIN SOLUTION\n    self.b = a\n    self.c = a\n    ### END SOLUTION"
    )
    (nothing,) = (each for each in mutants(text, frozenset({4, 5})) if each.operator == "Nothing")
    assert nothing.removed == ("    self.b = a", "    self.c = a")
    assert "self.a = a" in nothing.source


def test_the_extreme_ones_come_first_and_nothing_is_changed_but_the_students_lines() -> None:
    text = "def f(a):\n    b = a + 1\n    c = b * 2\n    return c"
    results = mutants(text, frozenset({3, 4}))
    extreme = [each.is_extreme for each in results]
    assert extreme == sorted(extreme, reverse=True)
    assert any(extreme)
    assert all("b = a + 1" in each.source for each in results)
    assert {each.line for each in results} == {3, 4}


def test_where_operators_agree_there_is_one_mutant() -> None:
    forms = Counter(
        ast.dump(ast.parse(each.source)) for each in mutants("if a == 1:\n    s = 2 * b[1]\nelse:\n    s = a")
    )
    assert set(forms.values()) == {1}
    assert added("if a == b:\n    s = 1") >= {"if a != b:"}
    assert "if not a == b:" not in added("if a == b:\n    s = 1")
    up = [each for each in mutants("s = f(3, 4, 5)") if each.family == "constant up"]
    assert len(up) == 1, "one constant of a line speaks for the others"


def test_every_mutant_is_python_and_says_something_else() -> None:
    text = "def f(a, b=2):\n    a = a[1:] + b\n    while a.any() and not b:\n        a -= 1\n    return np.abs(a)"
    results = mutants(text)
    assert len(results) > 20
    for each in results:
        assert ast.dump(ast.parse(each.source)) != ast.dump(ast.parse(text))
        assert each.removed and each.digest in each.name
    assert len({each.name for each in results}) == len(results)


def test_a_digest_is_of_the_line_and_of_what_was_made_of_it() -> None:
    (before,) = (each for each in mutants("def f(a):\n    return a * 2") if each.family == "arithmetic")
    (moved,) = (each for each in mutants("x = 1\ndef f(a):\n  return a * 2") if each.family == "arithmetic")
    (other,) = (each for each in mutants("def f(a):\n    return a * 2  # twice") if each.family == "arithmetic")
    assert before.digest == moved.digest != other.digest


def test_cells_that_are_no_python_have_none() -> None:
    assert mutants("%%time\nx = 1 + 1") == []
    assert mutants("x = (1 +") == []


def test_what_is_filled_has_kind_and_size() -> None:
    import numpy as np

    namespace: dict[str, object] = {}
    exec(FILLED_LIKE_SOURCE, namespace)

    class Box:
        def __init__(self) -> None:
            self.data = np.arange(3, dtype=np.int8)

    filled = namespace[FILLED_LIKE]
    assert callable(filled)
    box = Box()
    first, (second, flag), third, other = filled((box, [2.5, True], {"a": np.float32(3)}, object()), 1)
    assert first.data.tolist() == [1, 1, 1] and first.data.dtype == np.int8 and box.data[2] == 2
    assert (second, flag, third, other) == (1.0, True, {"a": 1}, None)
    assert type(third["a"]) is np.float32


def test_without_the_extra_it_is_said_what_to_install_and_a_proof_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    cosmic_ray_operators.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "cosmic_ray"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cosmic_ray", None)
    with pytest.raises(PlatformError, match=r"not installed. Run 'pip install \"tinytorch-tito\[author\]\"'"):
        mutants("a + b")
    assert operators_hash()
    cosmic_ray_operators.cache_clear()


def test_the_chosen_operators_are_there_and_each_family_is_named() -> None:
    chosen = cosmic_ray_operators()
    assert [each.name for each in chosen] == [name for names in CHOSEN.values() for _, name in names]
    assert len({type(each) for each in FINE}) == len(FINE)
    assert all(each.family and each.__doc__ for each in numeric_operators(frozenset()))
    assert len(operators_hash()) == 64
