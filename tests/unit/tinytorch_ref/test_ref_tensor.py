"""Tensor: the dtype and copy rules, algebra against numpy in float64, errors, and the seam for module 05."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinytorch_ref.core.activations import GELU, ReLU, Sigmoid, Softmax, Tanh
from tinytorch_ref.core.tensor import Tensor

LIGHT = settings(deadline=None, max_examples=60)

# Quarters between -8 and 8: sums, products and matrix products of these are exact in float32.
QUARTERS = st.integers(-32, 32).map(lambda n: n / 4)


def arrays(shape: Any) -> st.SearchStrategy[np.ndarray[Any, Any]]:
    return hnp.arrays(np.float64, shape, elements=QUARTERS)


def broadcastable(count: int) -> st.SearchStrategy[list[np.ndarray[Any, Any]]]:
    shapes = hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=3, max_side=4)
    return shapes.flatmap(lambda shapes: st.tuples(*map(arrays, shapes.input_shapes)).map(list))


# What is stored


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1, "float32"),
        (True, "float32"),
        ([1, 2], "float32"),
        ([[0.5]], "float32"),
        (np.float64(2), "float32"),
        (np.zeros(2), "float32"),
        (np.zeros(2, np.longdouble), "float32"),
        (np.zeros(2, np.float32), "float32"),
        (np.zeros(2, np.float16), "float16"),
        (np.zeros(2, np.int8), "int8"),
        (np.int8(3), "int8"),
        (np.zeros(2, np.uint8), "uint8"),
        (np.zeros(2, np.int32), "int32"),
        (np.zeros(2, np.int64), "int64"),
        (np.zeros(2, bool), "bool"),
    ],
)
def test_python_numbers_and_float64_become_float32_and_chosen_dtypes_stay(data: Any, dtype: str) -> None:
    assert Tensor(data).dtype == dtype


def test_a_dtype_argument_overrules_and_copies_of_a_tensor_keep_it() -> None:
    wide = Tensor(np.array([1.5, 2.5]), dtype=np.float64)
    assert wide.dtype == np.float64
    assert Tensor(wide).dtype == np.float64
    assert Tensor([1.7, -1.7], dtype=np.int8).data.tolist() == [1, -1]


def test_an_int8_tensor_takes_one_byte_per_element() -> None:
    assert Tensor(np.zeros((3, 5), np.int8)).nbytes == 15
    assert Tensor(np.zeros((3, 5))).nbytes == 60


def test_the_source_is_copied() -> None:
    source = np.zeros(3, np.float32)
    original = Tensor(source)
    twin = Tensor(original)
    source[0] = 7
    original.data[1] = 8
    assert original.data.tolist() == [0, 8, 0]
    assert twin.data.tolist() == [0, 0, 0]


def test_shape_size_dtype_and_bytes_follow_when_data_is_replaced() -> None:
    x = Tensor([1, 2])
    x.data = np.zeros((3, 4), np.int8)
    assert (x.shape, x.size, x.dtype, x.nbytes) == ((3, 4), 12, np.int8, 12)


@pytest.mark.parametrize("data", ["1.5", ["a"], None, 1j, [1j], {1, 2}, [None]])
def test_what_is_not_a_real_number_is_refused(data: Any) -> None:
    with pytest.raises(TypeError, match="real numbers"):
        Tensor(data)


def test_a_dtype_that_holds_no_real_numbers_is_refused() -> None:
    with pytest.raises(TypeError, match="complex"):
        Tensor([1], dtype=np.complex64)


def test_integers_cannot_require_gradients() -> None:
    with pytest.raises(ValueError, match="int64"):
        Tensor(np.arange(3), requires_grad=True)
    assert Tensor(np.arange(3), requires_grad=True, dtype=np.float32).requires_grad


def test_numpy_sees_the_array_and_numpy_method_hands_it_out() -> None:
    x = Tensor([[1, 2]])
    assert x.numpy() is x.data
    np.testing.assert_array_equal(np.asarray(x), [[1, 2]])


@pytest.mark.parametrize(
    ("tensor", "shown"),
    [
        (Tensor([[1, 2.5]]), "Tensor([[1, 2.5]], dtype=float32)"),
        (Tensor(3, requires_grad=True), "Tensor(3, dtype=float32, requires_grad=True)"),
        (Tensor(np.array([-128, 127], np.int8)), "Tensor([-128, 127], dtype=int8)"),
        (Tensor(np.zeros((30, 40))), "Tensor(shape=(30, 40), dtype=float32)"),
        (Tensor(np.zeros((0, 3))), "Tensor(shape=(0, 3), dtype=float32)"),
    ],
)
def test_repr_shows_few_values_or_else_the_shape(tensor: Tensor, shown: str) -> None:
    assert repr(tensor) == shown


# Arithmetic


@LIGHT
@given(pair=broadcastable(2))
def test_sums_differences_and_products_broadcast_as_numpy_does(pair: list[Any]) -> None:
    a, b = pair
    for ours, expected in (
        (Tensor(a) + Tensor(b), a + b),
        (Tensor(a) - Tensor(b), a - b),
        (Tensor(a) * Tensor(b), a * b),
    ):
        assert ours.dtype == np.float32
        np.testing.assert_array_equal(ours.data, expected)


@LIGHT
@given(pair=broadcastable(2))
def test_addition_commutes_and_subtraction_undoes_it(pair: list[Any]) -> None:
    a, b = (Tensor(array) for array in pair)
    np.testing.assert_array_equal((a + b).data, (b + a).data)
    np.testing.assert_array_equal(((a + b) - b).data, (a + (b - b)).data)
    np.testing.assert_array_equal((-(a - b)).data, (b - a).data)


@LIGHT
@given(triple=broadcastable(3))
def test_multiplication_distributes_over_addition(triple: list[Any]) -> None:
    a, b, c = (Tensor(array) for array in triple)
    np.testing.assert_array_equal((a * (b + c)).data, (a * b + a * c).data)


@LIGHT
@given(pair=broadcastable(2), shift=st.sampled_from([9.0, -9.0]))
def test_division_is_right_to_a_float32_rounding(pair: list[Any], shift: float) -> None:
    a, b = pair[0], pair[1] + shift  # no zero: |b| ≥ 1
    np.testing.assert_allclose((Tensor(a) / Tensor(b)).data, a / b, rtol=1.2e-7)


def test_reflected_forms_keep_the_order_of_the_operands() -> None:
    x = Tensor([1, 2, 4])
    assert (10 - x).data.tolist() == [9, 8, 6]
    assert (8 / x).data.tolist() == [8, 4, 2]
    assert (2**x).data.tolist() == [2, 4, 16]
    assert (x**2).data.tolist() == [1, 4, 16]
    assert (3 + x).data.tolist() == (x + 3).data.tolist() == [4, 5, 7]
    assert (3 * x).data.tolist() == (x * 3).data.tolist() == [3, 6, 12]


def test_a_numpy_array_on_the_left_gives_one_tensor() -> None:
    result = np.array([[10.0], [20.0]]) - Tensor([1, 2])
    assert isinstance(result, Tensor)
    assert result.data.tolist() == [[9, 8], [19, 18]]
    product = np.array([[1.0, 2.0]]) @ Tensor([[3], [4]])
    assert isinstance(product, Tensor)
    assert product.data.tolist() == [[11]]


@pytest.mark.parametrize(
    ("operation", "dtype"),
    [
        (lambda i8: i8 + 1, "int8"),
        (lambda i8: i8 + i8, "int8"),
        (lambda i8: i8 + Tensor(np.array([1, 2], np.int32)), "int32"),
        (lambda i8: i8 * 0.5, "float32"),
        (lambda i8: i8 / i8, "float32"),
        (lambda i8: i8 * Tensor([0.5, 2]), "float32"),
        (lambda i8: i8.mean(), "float32"),
        (lambda i8: Tensor(np.array([1, 2])) * Tensor([0.5, 2]), "float32"),
        (lambda i8: Tensor([1.0]) * np.float64(2), "float32"),
        (lambda i8: Tensor(np.ones(2, np.float16)) * 2.5, "float16"),
        (lambda i8: Tensor([1, 2], dtype=np.float64) * 2.5, "float64"),
        (lambda i8: Tensor([1, 2], dtype=np.float64) * Tensor([1, 2]), "float64"),
        (lambda i8: i8[0], "int8"),
        (lambda i8: i8.reshape(2, 1).T, "int8"),
        (lambda i8: i8.max(), "int8"),
    ],
)
def test_operations_give_float64_only_where_float64_went_in(operation: Callable[[Tensor], Tensor], dtype: str) -> None:
    assert operation(Tensor(np.array([3, 4], np.int8))).dtype == dtype


def test_int8_products_wrap_and_int32_ones_do_not() -> None:
    codes = Tensor(np.array([[100, 100]], np.int8))
    assert (codes @ codes.T).data.item() == (20000 + 128) % 256 - 128
    wide = Tensor(codes, dtype=np.int32)
    assert (wide @ wide.T).data.item() == 20000


def test_a_number_too_large_for_the_dtype_is_refused() -> None:
    with pytest.raises(OverflowError):
        Tensor(np.array([1], np.int8)) + 300
    with pytest.raises(OverflowError):
        Tensor([1, 128], dtype=np.int8)


@pytest.mark.parametrize("value", ["a", None, [1, 2], object()])
def test_arithmetic_with_what_is_no_number_is_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        Tensor([1, 2]) + value


def test_shapes_that_do_not_broadcast_are_both_named() -> None:
    with pytest.raises(ValueError, match=r"add.*\(2, 3\).*\(4,\)"):
        Tensor(np.zeros((2, 3))) + Tensor(np.zeros(4))


# Matrix product


@LIGHT
@given(data=st.data(), n=st.integers(1, 3), k=st.integers(1, 4), m=st.integers(1, 3))
def test_matmul_sums_products_for_every_pair_of_broadcast_matrices(data: st.DataObject, n: int, k: int, m: int) -> None:
    lead = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=3))
    a = data.draw(arrays((*lead.input_shapes[0], n, k)))
    b = data.draw(arrays((*lead.input_shapes[1], k, m)))
    product = Tensor(a) @ Tensor(b)
    assert product.shape == (*lead.result_shape, n, m)
    np.testing.assert_array_equal(product.data, (a[..., :, :, None] * b[..., None, :, :]).sum(axis=-2))


@LIGHT
@given(data=st.data(), n=st.integers(1, 3), k=st.integers(1, 3), m=st.integers(1, 3))
def test_the_transpose_of_a_product_is_the_reversed_product_of_transposes(
    data: st.DataObject, n: int, k: int, m: int
) -> None:
    a, b = Tensor(data.draw(arrays((n, k)))), Tensor(data.draw(arrays((k, m))))
    np.testing.assert_array_equal((a @ b).T.data, (b.T @ a.T).data)


def test_vectors_are_rows_on_the_left_and_columns_on_the_right() -> None:
    matrix, vector = Tensor([[1, 2], [3, 4]]), Tensor([1, 10])
    assert (vector @ matrix).data.tolist() == [31, 42]
    assert (matrix @ vector).data.tolist() == [21, 43]
    assert (vector @ vector).data.item() == 101


@pytest.mark.parametrize(
    ("left", "right"), [((2, 3), (2, 3)), ((2, 3), (4,)), ((3,), (2, 3)), ((2, 5, 3), (4, 3, 5)), ((), (2,))]
)
def test_matmul_names_both_shapes_that_do_not_fit(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    with pytest.raises(ValueError) as caught:
        Tensor(np.zeros(left)).matmul(Tensor(np.zeros(right)))
    assert str(left) in str(caught.value)
    assert str(right) in str(caught.value)


def test_matmul_takes_tensors_only() -> None:
    with pytest.raises(TypeError, match="ndarray"):
        Tensor([[1]]).matmul(np.ones((1, 1)))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="unsupported operand"):
        Tensor([[1]]) @ "a"  # type: ignore[operator]


# Shape


@LIGHT
@given(array=arrays(hnp.array_shapes(min_dims=1, max_dims=4, max_side=4)))
def test_reshape_keeps_the_order_of_the_elements(array: Any) -> None:
    x = Tensor(array)
    np.testing.assert_array_equal(x.reshape(-1).data, array.flatten())
    np.testing.assert_array_equal(x.reshape(-1).reshape(array.shape).data, array)


@LIGHT
@given(data=st.data(), array=arrays(hnp.array_shapes(min_dims=2, max_dims=4, max_side=3)))
def test_transpose_swaps_two_axes_however_they_are_counted_and_twice_is_nothing(
    data: st.DataObject, array: Any
) -> None:
    axis = st.integers(-array.ndim, array.ndim - 1)
    dim0, dim1 = data.draw(axis), data.draw(axis)
    swapped = Tensor(array).transpose(dim0, dim1)
    np.testing.assert_array_equal(swapped.data, np.swapaxes(array, dim0, dim1))
    np.testing.assert_array_equal(swapped.transpose(dim0, dim1).data, array)
    np.testing.assert_array_equal(Tensor(array).transpose().data, np.swapaxes(array, -1, -2))


@LIGHT
@given(data=st.data(), array=arrays(hnp.array_shapes(min_dims=1, max_dims=4, max_side=3)))
def test_permute_puts_axis_order_i_at_place_i(data: st.DataObject, array: Any) -> None:
    order = data.draw(st.permutations(range(array.ndim)))
    permuted = Tensor(array).permute(*order)
    np.testing.assert_array_equal(permuted.data, np.moveaxis(array, order, range(array.ndim)))
    np.testing.assert_array_equal(permuted.permute(tuple(np.argsort(order).tolist())).data, array)


def test_changes_of_shape_share_memory_and_arithmetic_does_not() -> None:
    x = Tensor(np.zeros((2, 3)))
    for view in (x.reshape(6), x.transpose(), x.permute(1, 0), x.T, x[0]):
        assert np.shares_memory(view.data, x.data)
    for fresh in (x + 0, x * 1, -x, x.sum(), x.max(axis=0)):
        assert not np.shares_memory(fresh.data, x.data)


def test_dot_t_refuses_more_than_two_axes() -> None:
    assert Tensor([1, 2]).T.shape == (2,)
    with pytest.raises(ValueError, match=r"\(2, 3, 4\)"):
        _ = Tensor(np.zeros((2, 3, 4))).T


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x.reshape(4, 2), r"\(2, 3\).*6 elements.*\(4, 2\)"),
        (lambda x: x.reshape(-1, -1), r"-1"),
        (lambda x: x.transpose(0), "both dim0 and dim1"),
        (lambda x: x.transpose(0, 2), r"axis 2 .*\(2, 3\)"),
        (lambda x: x.transpose(-3, 0), r"axis -3 .*\(2, 3\)"),
        (lambda x: x.permute(0), r"\(2, 3\).*\(0,\)"),
        (lambda x: x.permute(0, 0), r"\(0, 0\)"),
        (lambda x: x.sum(axis=2), r"axis 2 .*\(2, 3\)"),
        (lambda x: x.mean(axis=(0, -2)), "twice"),
        (lambda x: x[:0].mean(axis=0), r"mean of no elements.*\(0, 3\)"),
        (lambda x: x[:0].max(), r"max of no elements.*\(0, 3\)"),
    ],
)
def test_impossible_shapes_and_axes_are_explained(change: Callable[[Tensor], Tensor], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        change(Tensor(np.zeros((2, 3))))


def test_indexing_takes_what_numpy_takes_and_integer_tensors() -> None:
    array = np.arange(12.0).reshape(3, 4)
    x = Tensor(array)
    rows = Tensor(np.array([2, 0]))
    assert x[1, 2].shape == ()
    assert x[1, 2].data.item() == 6
    np.testing.assert_array_equal(x[rows].data, array[[2, 0]])
    np.testing.assert_array_equal(x[rows, 1:3].data, array[[2, 0], 1:3])
    np.testing.assert_array_equal(x[..., None].data, array[..., None])
    np.testing.assert_array_equal(x[x.data > 5].data, array[array > 5])
    with pytest.raises(IndexError, match=r"\(3, 4\)"):
        x[3]


def test_iterating_gives_the_rows() -> None:
    assert [row.data.tolist() for row in Tensor([[1, 2], [3, 4]])] == [[1, 2], [3, 4]]  # type: ignore[attr-defined]


# Reductions


@LIGHT
@given(data=st.data(), array=arrays(hnp.array_shapes(min_dims=1, max_dims=3, max_side=4)), keepdims=st.booleans())
def test_reductions_agree_with_a_loop_over_the_kept_positions(data: st.DataObject, array: Any, keepdims: bool) -> None:
    axis = data.draw(st.integers(-array.ndim, array.ndim - 1))
    lines = np.moveaxis(array, axis, -1)
    remaining = lines.shape[:-1]
    shape = tuple(1 if i == axis % array.ndim else n for i, n in enumerate(array.shape)) if keepdims else remaining
    for ours, one_line in (
        (Tensor(array).sum(axis, keepdims), sum),
        (Tensor(array).mean(axis, keepdims), lambda line: sum(line) / len(line)),
        (Tensor(array).max(axis, keepdims), max),
    ):
        expected = np.array([one_line(lines[i].tolist()) for i in np.ndindex(remaining)]).reshape(shape)
        assert ours.shape == shape
        np.testing.assert_allclose(ours.data, expected, rtol=1e-6)


def test_reductions_without_axis_or_over_several_take_all_of_them() -> None:
    x = Tensor(np.arange(24).reshape(2, 3, 4), dtype=np.float32)
    assert x.sum().data.item() == 276
    assert x.mean().data.item() == 11.5
    assert x.max().data.item() == 23
    assert x.sum(axis=(0, -1)).data.tolist() == [60, 92, 124]
    assert x.sum(keepdims=True).shape == (1, 1, 1)


def test_a_sum_of_int8_does_not_overflow() -> None:
    assert Tensor(np.full(1000, 127, np.int8)).sum().data.item() == 127_000


# The seam for module 05


class Tape:
    """A recorder that only notes what it was told."""

    def __init__(self) -> None:
        self.notes: list[tuple[Tensor, str, tuple[Tensor, ...], dict[str, Any]]] = []
        self.backwards: list[tuple[Tensor, Any]] = []

    def record(self, result: Tensor, op: str, parents: tuple[Tensor, ...], context: dict[str, Any]) -> None:
        result.requires_grad = True
        self.notes.append((result, op, parents, context))

    def backward(self, tensor: Tensor, gradient: Any) -> None:
        self.backwards.append((tensor, gradient))


@pytest.fixture
def tape(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tape]:
    recorder = Tape()
    monkeypatch.setattr(Tensor, "_recorder", recorder)
    yield recorder


SEEN_OPERATIONS: list[tuple[str, Callable[[Tensor], Tensor], dict[str, Any]]] = [
    ("add", lambda x: x + 1, {}),
    ("add", lambda x: 1 + x, {}),
    ("sub", lambda x: x - 1, {}),
    ("sub", lambda x: 1 - x, {}),
    ("mul", lambda x: x * 2, {}),
    ("mul", lambda x: 2 * x, {}),
    ("div", lambda x: x / 2, {}),
    ("div", lambda x: 2 / x, {}),
    ("pow", lambda x: x**2, {}),
    ("pow", lambda x: 2**x, {}),
    ("neg", lambda x: -x, {}),
    ("matmul", lambda x: x @ Tensor(np.ones((3, 2))), {}),
    ("matmul", lambda x: Tensor(np.ones((4, 2))) @ x, {}),
    ("reshape", lambda x: x.reshape(6), {}),
    ("permute", lambda x: x.permute(1, 0), {"axes": (1, 0)}),
    ("permute", lambda x: x.transpose(-2, -1), {"axes": (1, 0)}),
    ("permute", lambda x: x.T, {"axes": (1, 0)}),
    ("getitem", lambda x: x[1], {"index": (1,)}),
    ("sum", lambda x: x.sum(-1), {"axes": (1,), "keepdims": False}),
    ("mean", lambda x: x.mean(), {"axes": (0, 1), "keepdims": False}),
    ("max", lambda x: x.max(0, keepdims=True), {"axes": (0,), "keepdims": True}),
    ("sigmoid", Sigmoid(), {}),
    ("relu", ReLU(), {}),
    ("tanh", Tanh(), {}),
    ("gelu", GELU(), {}),
    ("softmax", Softmax(), {"dim": -1}),
]


@pytest.mark.parametrize(("op", "operation", "context"), SEEN_OPERATIONS)
def test_every_operation_is_seen_once_by_an_installed_recorder(
    tape: Tape, op: str, operation: Callable[[Tensor], Tensor], context: dict[str, Any]
) -> None:
    x = Tensor([[1, 2, 3], [4, 5, 6]], requires_grad=True)
    result = operation(x)
    [(noted, name, parents, extra)] = tape.notes
    assert noted is result
    assert name == op
    assert any(parent is x for parent in parents)
    assert extra == context


def test_the_recorder_gets_the_operands_in_the_order_of_the_formula(tape: Tape) -> None:
    x = Tensor([2], requires_grad=True)
    _ = 10 - x
    [(_, _, (left, right), _)] = tape.notes
    assert left.data.item() == 10
    assert right is x


def test_operations_on_constants_are_not_recorded(tape: Tape) -> None:
    result = Tensor([1]) + Tensor([2])
    assert tape.notes == []
    assert not result.requires_grad


def test_backward_goes_to_the_recorder(tape: Tape) -> None:
    x = Tensor([1, 2], requires_grad=True)
    gradient = np.ones(2)
    x.backward(gradient)
    [(tensor, received)] = tape.backwards
    assert tensor is x
    assert received is gradient


def test_without_a_recorder_results_need_no_gradient_and_backward_points_to_module_05(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Tensor, "_recorder", None)  # another test may have imported module 05
    result = Tensor([1], requires_grad=True) * 2
    assert not result.requires_grad
    assert result.grad is None
    with pytest.raises(RuntimeError, match="module 05"):
        result.backward()
