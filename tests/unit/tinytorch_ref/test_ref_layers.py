"""Layers: shapes, initial values, what is learned, and dropout's two faces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinytorch_ref.core.activations import ReLU
from tinytorch_ref.core.layers import Dropout, Layer, Linear, Sequential
from tinytorch_ref.core.tensor import Tensor


def test_linear_is_input_times_weight_plus_bias() -> None:
    layer = Linear(2, 3)
    layer.weight.data[:] = [[1, 2, 3], [4, 5, 6]]
    assert layer.bias is not None
    layer.bias.data[:] = [10, 20, 30]
    assert layer(Tensor([[1, 0], [1, 2]])).data.tolist() == [[11, 22, 33], [19, 32, 45]]


@pytest.mark.parametrize("leading", [(), (5,), (2, 5), (2, 3, 5)])
def test_linear_takes_any_leading_axes(leading: tuple[int, ...]) -> None:
    assert Linear(4, 3)(Tensor(np.zeros((*leading, 4)))).shape == (*leading, 3)


def test_linear_starts_with_variance_one_over_inputs_and_zero_bias() -> None:
    np.random.seed(0)
    layer = Linear(400, 300)
    weight = layer.weight.data
    assert weight.shape == (400, 300)
    assert weight.dtype == np.float32
    # 120 000 draws: the standard error of the mean is 1.4e-4, that of the variance 0.4 %
    assert abs(weight.mean()) < 6e-4
    assert weight.var() == pytest.approx(1 / 400, rel=0.02)
    assert layer.bias is not None
    assert not layer.bias.data.any()


def test_numpys_seed_repeats_the_weights() -> None:
    np.random.seed(3)
    first = Linear(4, 4).weight.data
    again = Linear(4, 4).weight.data
    np.random.seed(3)
    np.testing.assert_array_equal(Linear(4, 4).weight.data, first)
    assert not np.array_equal(first, again)


def test_linear_lists_what_it_learns() -> None:
    layer, bare = Linear(2, 3), Linear(2, 3, bias=False)
    assert [id(p) for p in layer.parameters()] == [id(layer.weight), id(layer.bias)]
    assert all(p.requires_grad for p in layer.parameters())
    assert bare.bias is None
    assert [p.shape for p in bare.parameters()] == [(2, 3)]


def test_linear_names_the_shape_it_expected_and_the_one_it_got() -> None:
    with pytest.raises(ValueError, match=r"\(\.\.\., 4\).*\(2, 3\)"):
        Linear(4, 2)(Tensor(np.zeros((2, 3))))
    with pytest.raises(ValueError, match=r"\(\)"):
        Linear(4, 2)(Tensor(1))
    with pytest.raises(TypeError, match="ndarray"):
        Linear(4, 2)(np.zeros((2, 4)))


@pytest.mark.parametrize("features", [(0, 2), (2, -1), (2.5, 2), ("2", 2)])
def test_linear_refuses_sizes_that_are_no_positive_integers(features: tuple[Any, Any]) -> None:
    with pytest.raises(ValueError, match="positive integer"):
        Linear(*features)


def test_dropout_keeps_the_expected_value_and_drops_the_share_asked_for() -> None:
    np.random.seed(0)
    output = Dropout(0.25)(Tensor(np.ones(100_000))).data
    np.testing.assert_allclose(np.unique(output), [0, 4 / 3], rtol=1e-6)
    assert np.mean(output == 0) == pytest.approx(0.25, abs=0.007)  # five standard errors


def test_dropout_draws_anew_each_time_and_repeats_with_the_seed() -> None:
    layer, x = Dropout(0.5), Tensor(np.ones(64))
    np.random.seed(5)
    first, second = layer(x).data, layer(x).data
    np.random.seed(5)
    np.testing.assert_array_equal(layer(x).data, first)
    assert not np.array_equal(first, second)


def test_dropout_leaves_the_input_alone_when_not_training_or_when_p_is_0() -> None:
    x = Tensor([1, 2, 3])
    assert Dropout(0.9)(x, training=False) is x
    assert Dropout(0)(x) is x


def test_dropout_of_everything_is_zero_without_a_division_by_zero() -> None:
    assert Dropout(1)(Tensor([1, 2])).data.tolist() == [0, 0]


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_dropout_refuses_what_is_no_probability(p: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Dropout(p)


def test_dropout_learns_nothing_and_keeps_the_dtype() -> None:
    assert Dropout().parameters() == []
    assert Dropout(0.5)(Tensor([1, 2], dtype=np.float64)).dtype == np.float64


def test_sequential_applies_its_layers_in_order() -> None:
    model = Sequential(lambda x: x + 1, lambda x: x * 10)
    assert model(Tensor([1])).data.tolist() == [20]
    assert Sequential([lambda x: x * 10, lambda x: x + 1])(Tensor([1])).data.tolist() == [11]
    assert Sequential()(Tensor([1])).data.tolist() == [1]


def test_sequential_lists_parameters_in_order_and_a_shared_tensor_once() -> None:
    first, second = Linear(3, 3), Linear(3, 3, bias=False)
    model = Sequential(first, ReLU(), Sequential(second, first))
    assert [id(p) for p in model.parameters()] == [id(first.weight), id(first.bias), id(second.weight)]


def test_sequential_follows_when_a_layer_is_replaced() -> None:
    model = Sequential(Linear(3, 3), ReLU())
    model.layers[0] = Linear(3, 2, bias=False)
    assert model(Tensor(np.zeros((1, 3)))).shape == (1, 2)
    assert len(model.parameters()) == 1


def test_sequential_tells_every_dropout_inside_whether_it_trains() -> None:
    model = Sequential(Dropout(1), Sequential(Dropout(1)))
    x = Tensor([1, 2])
    assert model(x, training=False).data.tolist() == [1, 2]
    assert model(x).data.tolist() == [0, 0]
    assert Sequential(Sequential(Dropout(1)))(x, training=False).data.tolist() == [1, 2]


def test_sequential_refuses_what_cannot_be_called() -> None:
    with pytest.raises(TypeError, match="cannot be called"):
        Sequential(Linear(1, 1), 3)


def test_a_layer_without_forward_says_which_one() -> None:
    class Forgotten(Layer):
        pass

    with pytest.raises(NotImplementedError, match="Forgotten"):
        Forgotten()(Tensor([1]))
    assert Forgotten().parameters() == []


def test_repr_names_what_a_model_is_made_of() -> None:
    model = Sequential(Linear(3, 2, bias=False), Dropout(0.1))
    assert repr(model) == "Sequential(Linear(3, 2, bias=False), Dropout(0.1))"
