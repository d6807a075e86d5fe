"""Autograd: every rule against central differences, how gradients flow and add up, and what is refused."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradients import check_gradients

import tinytorch_ref
from tinytorch_ref.core import autograd
from tinytorch_ref.core.activations import GELU, ReLU, Sigmoid, Softmax, Tanh
from tinytorch_ref.core.autograd import Function, enable_autograd, gradient_rule, no_grad
from tinytorch_ref.core.layers import Dropout, Linear, Sequential
from tinytorch_ref.core.losses import log_softmax
from tinytorch_ref.core.tape import _RULES
from tinytorch_ref.core.tensor import Tensor

BROADCASTS = [
    ((3, 4), (3, 4)),
    ((3, 4), (4,)),
    ((4,), (3, 4)),
    ((3, 1), (1, 4)),
    ((2, 3, 4), ()),
    ((), (2,)),
    ((2, 1, 4), (3, 1)),
    ((1,), (1, 1)),
]


@pytest.mark.parametrize(("left", "right"), BROADCASTS)
@pytest.mark.parametrize(
    "operation",
    [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / (b * b + 1)],
    ids=["add", "sub", "mul", "div"],
)
def test_arithmetic_with_broadcasting(operation: Callable[..., Tensor], left: Any, right: Any) -> None:
    check_gradients(operation, left, right)


@pytest.mark.parametrize(("left", "right"), BROADCASTS)
def test_powers_with_broadcasting(left: Any, right: Any) -> None:
    check_gradients(lambda a, b: (a * a + 0.5) ** b, left, right)


@pytest.mark.parametrize(
    "operation",
    [
        lambda x: x + 2,
        lambda x: 2 + x,
        lambda x: x - 2,
        lambda x: 2 - x,
        lambda x: x * 3,
        lambda x: 3 * x,
        lambda x: x / 4,
        lambda x: 4 / (x * x + 1),
        lambda x: x**3,
        lambda x: 3**x,
        lambda x: -x,
        lambda x: x + np.arange(4),
        lambda x: np.arange(4) * x,
        lambda x: x.reshape(4, 3),
        lambda x: x.reshape(-1),
        lambda x: x.transpose(),
        lambda x: x.T,
        lambda x: x.permute(1, 0),
        lambda x: x.reshape(3, 2, 2).permute(2, 0, 1),
        lambda x: x.reshape(3, 2, 2).transpose(0, -1),
        lambda x: x.sum(),
        lambda x: x.sum(0),
        lambda x: x.sum(1, keepdims=True),
        lambda x: x.sum((0, -1)),
        lambda x: x.mean(),
        lambda x: x.mean(0),
        lambda x: x.mean(-1, keepdims=True),
        lambda x: x.max(),
        lambda x: x.max(0),
        lambda x: x.max(1, keepdims=True),
        lambda x: x[1],
        lambda x: x[:, 1:3],
        lambda x: x[..., None, ::-2],
        lambda x: x[[0, 0, 2]],
        lambda x: x[[0, 0, 2], [1, 1, 3]],
        lambda x: x[Tensor(np.array([2, 2]))],
        lambda x: x[np.array([True, False, True])],
        lambda x: x[np.int64(1)],
        Sigmoid(),
        Tanh(),
        GELU(),
        Softmax(),
        Softmax(dim=0),
        log_softmax,
        lambda x: log_softmax(x, 0),
        lambda x: x + x * x,
        lambda x: x @ x.T,
        lambda x: (x - x.mean(0, keepdims=True)) / (x * x).mean(0) ** 0.5,
    ],
)
def test_operations_of_one_tensor(operation: Callable[[Tensor], Tensor]) -> None:
    check_gradients(operation, (3, 4))


def test_relu_away_from_its_corner() -> None:
    x = np.linspace(-2, 2, 12).reshape(3, 4)
    check_gradients(ReLU(), x)
    corner = Tensor([-1, 0, 1], requires_grad=True)
    ReLU()(corner).sum().backward()
    assert corner.grad is not None
    assert corner.grad.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((3, 4), (4, 2)),
        ((4,), (4,)),
        ((4,), (4, 2)),
        ((3, 4), (4,)),
        ((5, 3, 4), (4, 2)),
        ((5, 3, 4), (4,)),
        ((4,), (5, 4, 2)),
        ((3, 4), (5, 4, 2)),
        ((5, 3, 4), (5, 4, 2)),
        ((2, 1, 3, 4), (5, 4, 2)),
        ((1, 1), (1, 1)),
    ],
)
def test_matrix_products(left: Any, right: Any) -> None:
    check_gradients(lambda a, b: a @ b, left, right)


@pytest.mark.parametrize(("left", "right"), [((0, 3, 4), (4, 2)), ((0, 4), (4, 2)), ((2, 0), (0, 3))])
def test_products_of_empty_batches_have_gradients_of_the_right_shape(left: Any, right: Any) -> None:
    a, b = (Tensor(np.ones(shape), requires_grad=True) for shape in (left, right))
    (a @ b).sum().backward()
    assert a.grad is not None
    assert b.grad is not None
    assert a.grad.shape == left
    assert b.grad.shape == right
    assert not b.grad.any()


def test_operands_that_are_not_contiguous() -> None:
    base = np.random.default_rng(0).normal(size=(4, 6))

    def function(x: Tensor) -> Tensor:
        strided, turned = x[::2, ::3], x.T[1:5]
        return (turned @ x) * strided.sum()

    check_gradients(function, base)


def test_layers_and_chains_of_them() -> None:
    np.random.seed(0)
    model = Sequential(Linear(4, 5), Tanh(), Linear(5, 3, bias=False), Softmax())
    check_gradients(model, (2, 4), parameters=model.parameters())
    check_gradients(model, (2, 3, 4), parameters=model.parameters())


def test_dropout_lets_gradients_through_where_it_let_values_through() -> None:
    np.random.seed(0)
    x = Tensor(np.ones(20), requires_grad=True)
    output = Dropout(0.5)(x)
    output.sum().backward()
    np.testing.assert_array_equal(x.grad, output.data)


def test_a_maximum_that_occurs_twice_shares_its_gradient() -> None:
    x = Tensor([[1, 3, 3], [2, 0, 1]], requires_grad=True)
    x.max(1).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[0, 0.5, 0.5], [1, 0, 0]]


def test_powers_of_zero() -> None:
    x = Tensor([0, 0, 0], requires_grad=True)
    exponent = Tensor([0, 1, 2], requires_grad=True)
    (x**exponent).sum().backward()
    assert x.grad is not None
    assert exponent.grad is not None
    assert x.grad.tolist() == [0, 1, 0]
    assert exponent.grad.tolist() == [0, 0, 0]


# How gradients flow


def test_gradients_are_numpy_arrays_in_the_dtype_of_their_tensor() -> None:
    x = Tensor([1, 2], requires_grad=True)
    wide = Tensor([3.0, 4.0], dtype=np.float64, requires_grad=True)
    (x * wide).sum().backward()
    assert type(x.grad) is np.ndarray
    assert x.grad.dtype == np.float32
    assert wide.grad is not None
    assert wide.grad.dtype == np.float64


@pytest.mark.parametrize(
    "operation", [Sigmoid(), GELU(), Softmax(), lambda x: x.mean(0), lambda x: x.max(), log_softmax]
)
def test_float32_stays_float32_on_the_way_back(operation: Any) -> None:
    x = Tensor([[1, 2], [3, 5]], requires_grad=True)
    output = operation(x)
    function = output._function
    [gradient] = function.apply(np.ones_like(output.data))
    assert gradient.dtype == np.float32


def test_a_tensor_used_twice_gets_both_gradients() -> None:
    x = Tensor([2], requires_grad=True)
    y = x * x
    (y * y + x).backward()
    assert x.grad is not None
    assert x.grad.tolist() == [4 * 8 + 1]


def test_backward_runs_again_on_the_same_graph_and_adds() -> None:
    x = Tensor([1, 2], requires_grad=True)
    loss = (x * x).sum()
    for times in (1, 2, 3):
        loss.backward()
        np.testing.assert_allclose(x.grad, times * 2 * x.data)


def test_two_losses_on_one_trunk_add_up() -> None:
    x = Tensor([3], requires_grad=True)
    trunk = x * 2
    (trunk * 5).backward()
    (trunk * trunk).backward()
    assert x.grad is not None
    assert x.grad.tolist() == [10 + 24]


def test_backward_takes_the_values_of_the_forward_pass_though_data_was_replaced() -> None:
    x = Tensor([3], requires_grad=True)
    y = x * x
    x.data = np.array([100], np.float32)
    y.backward()
    assert x.grad is not None
    assert x.grad.tolist() == [6]


def test_two_leaves_never_share_one_gradient_array() -> None:
    a, b = Tensor([1], requires_grad=True), Tensor([1], requires_grad=True)
    (a + b).backward()
    assert a.grad is not None
    assert b.grad is not None
    a.grad *= 7
    assert b.grad.tolist() == [1]


def test_the_gradient_passed_in_is_not_written_to() -> None:
    x = Tensor([1, 2], requires_grad=True)
    seed = np.array([1, 10], np.float32)
    x.backward(seed)
    x.backward(seed)
    assert x.grad is not None
    assert x.grad.tolist() == [2, 20]
    assert seed.tolist() == [1, 10]


def test_results_in_between_keep_no_gradient_and_constants_get_none() -> None:
    x, constant = Tensor([1], requires_grad=True), Tensor([2])
    middle = x * constant
    (middle * 3).backward()
    assert middle.requires_grad
    assert middle.grad is None
    assert constant.grad is None


def test_a_graph_deeper_than_the_recursion_limit_goes_back_and_is_freed() -> None:
    depth = 20 * sys.getrecursionlimit()
    x = Tensor([1], requires_grad=True)
    y = x
    for _ in range(depth):
        y = y + x
    y.backward()
    assert x.grad is not None
    assert x.grad.tolist() == [depth + 1]
    del y


def test_a_graph_is_freed_with_its_result_without_the_garbage_collector() -> None:
    x = Tensor(np.ones(3), requires_grad=True)
    gc.collect()
    gc.disable()
    try:
        y = Softmax()(Sigmoid()(x @ Tensor(np.ones((3, 3)))))
        del y
        left = [item for item in gc.get_objects() if issubclass(type(item), Function)]  # isinstance wakes lazy modules
    finally:
        gc.enable()
    assert left == []


def test_a_graph_of_many_paths_is_walked_once() -> None:
    x = Tensor([1], requires_grad=True)
    y = x
    for _ in range(60):  # 2 to the 60th paths
        y = (y + y) * 0.5
    y.backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1]


# What is not recorded, and what is refused


def test_no_grad_records_nothing_and_ends_also_after_an_error() -> None:
    x = Tensor([1], requires_grad=True)
    with pytest.raises(KeyError), no_grad():
        with no_grad():
            pass
        assert not (x * 2).requires_grad
        raise KeyError
    assert (x * 2).requires_grad


def test_no_grad_is_a_decorator_too() -> None:
    @no_grad()
    def double(x: Tensor) -> Tensor:
        return x * 2

    assert not double(Tensor([1], requires_grad=True)).requires_grad


def test_a_result_of_constants_needs_no_gradient_and_has_no_backward() -> None:
    with pytest.raises(RuntimeError, match="requires_grad=True"):
        (Tensor([1]) * 2).backward()
    x = Tensor([1], requires_grad=True)
    with no_grad():
        y = x * 2
    with pytest.raises(RuntimeError, match="no_grad"):
        y.backward()


def test_more_than_one_element_needs_a_gradient_of_its_shape() -> None:
    x = Tensor([1, 2], requires_grad=True)
    with pytest.raises(ValueError, match=r"scalar.*\(2,\)"):
        (x * 2).backward()
    with pytest.raises(ValueError, match=r"\(3,\).*\(2,\)"):
        (x * 2).backward(np.ones(3))
    (x * 2).backward(Tensor([1, 2]))
    assert x.grad is not None
    assert x.grad.tolist() == [2, 4]


def test_one_element_of_any_shape_counts_as_a_scalar() -> None:
    x = Tensor([[2]], requires_grad=True)
    (x * 3).backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[3]]


def test_an_operation_without_a_rule_is_an_error_only_when_a_gradient_arrives() -> None:
    x = Tensor([1], requires_grad=True)
    y = Tensor._result(np.sin(x.data), "sine of the test", (x,))
    assert y.requires_grad
    with pytest.raises(NotImplementedError, match=r'gradient_rule\("sine of the test"\)'):
        y.backward()


def test_a_new_rule_gets_the_tensors_and_the_context(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinytorch_ref.core.tape._RULES", _RULES | {})

    @gradient_rule("scaled", "scaled again")
    class ScaledBackward(Function):
        def apply(self, grad_output: Any) -> Any:
            return (grad_output * self.context["factor"], None)

    def scaled(x: Tensor, unused: Tensor) -> Tensor:
        return Tensor._result(x.data * 5, "scaled", (x, unused), factor=5)

    x, unused = Tensor([1], requires_grad=True), Tensor([1], requires_grad=True)
    scaled(x, unused).backward()
    assert x.grad is not None
    assert x.grad.tolist() == [5]
    assert unused.grad is None
    assert scaled(x, unused)._function.saved_tensors == (x, unused)


def test_a_gradient_of_the_wrong_shape_names_the_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinytorch_ref.core.tape._RULES", _RULES | {})

    @gradient_rule("careless")
    class CarelessBackward(Function):
        def apply(self, grad_output: Any) -> Any:
            return (grad_output,)

    x = Tensor([1], requires_grad=True)
    with pytest.raises(RuntimeError, match=r"CarelessBackward.*\(3,\).*\(1,\)"):
        Tensor._result(x.data + np.ones(3), "careless", (x,)).backward(np.ones(3))


def test_zero_grad_of_a_tensor_forgets() -> None:
    x = Tensor([1], requires_grad=True)
    (x * 2).backward()
    x.zero_grad()
    assert x.grad is None


def test_a_rule_without_apply_says_which() -> None:
    with pytest.raises(NotImplementedError, match="Function"):
        Function(Tensor([1])).apply(np.ones(1))


def run_fresh(program: str) -> str:
    root = Path(tinytorch_ref.__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=root, check=True, capture_output=True, text=True, timeout=60
    )
    return run.stdout


def test_importing_autograd_turns_it_on_silently_and_modules_below_leave_it_off() -> None:
    program = (
        "from tinytorch_ref.core.tensor import Tensor\n"
        "from tinytorch_ref.core import activations, layers, losses\n"
        "assert Tensor._recorder is None\n"
        "from tinytorch_ref.core.autograd import enable_autograd\n"
        "first = Tensor._recorder\n"
        "assert first is not None\n"
        "enable_autograd()\n"
        "assert Tensor._recorder is first\n"
    )
    assert run_fresh(program) == ""


def test_enabling_again_keeps_the_tape() -> None:
    before = Tensor._recorder
    enable_autograd()
    assert Tensor._recorder is before


# Rules used by hand, as the public course does


def by_hand(rule: Function, grad_output: Any) -> list[Any]:
    return [
        None if gradient is None else np.asarray(gradient).tolist() for gradient in rule.apply(np.asarray(grad_output))
    ]


def test_rules_can_be_used_by_hand() -> None:
    a, b = Tensor([1, 2], requires_grad=True), Tensor([3, 4], requires_grad=True)
    assert by_hand(autograd.AddBackward(a, b), [1, 1]) == [[1, 1], [1, 1]]
    assert by_hand(autograd.MulBackward(a, b), [1, 1]) == [[3, 4], [1, 2]]
    assert by_hand(autograd.AddBackward(a, Tensor([1, 1])), [1, 1]) == [[1, 1], None]
    assert by_hand(autograd.SumBackward(a), 2) == [[2, 2]]
    assert by_hand(autograd.ReshapeBackward(a, (2,)), [[1], [2]]) == [[1, 2]]
    assert by_hand(autograd.SigmoidBackward(a, Tensor([0.5, 1])), [1, 1]) == [[0.25, 0]]
    assert by_hand(autograd.SoftmaxBackward(a, Tensor([0.5, 0.5])), [1, 0]) == [[0.25, -0.25]]


@pytest.mark.parametrize("dims", [(), (0, 2), (-1, 0), (1, 1)])
def test_transpose_by_hand_undoes_the_transpose(dims: tuple[int, ...]) -> None:
    x = Tensor(np.arange(24.0).reshape(2, 3, 4), requires_grad=True)
    gradient = x.transpose(*dims).data
    [back] = autograd.TransposeBackward(x, *dims).apply(gradient)
    np.testing.assert_array_equal(back, x.data)


@pytest.mark.parametrize("indices", [[0, 2, 2], [[1, 1], [1, 0]], [], [[2]]])
def test_embedding_rows_get_the_sum_of_their_uses(indices: Any) -> None:
    ids = np.array(indices, dtype=np.int64)
    weight = Tensor(np.random.default_rng(0).normal(size=(3, 2)), requires_grad=True, dtype=np.float64)
    gradient = np.random.default_rng(1).normal(size=(*ids.shape, 2))
    expected = np.zeros((3, 2))
    np.add.at(expected, ids, gradient)
    for indices in (ids, Tensor(ids)):
        [grad_weight] = autograd.EmbeddingBackward(weight, indices).apply(gradient)
        np.testing.assert_allclose(grad_weight, expected)
