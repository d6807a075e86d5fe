# module: 16_quantization
"""Quantization: Store weights as 8-bit integers, multiply in integers, and measure what that saves and costs.

Exported from source/16_quantization.py; change that, then run `tito export 16`.
"""

from typing import Any

import numpy as np

from ..core.layers import Dropout, Linear
from ..core.tensor import Tensor

INT8_MIN, INT8_MAX = -128, 127
BYTES_PER_MB = 2**20
OVERHEAD_BYTES = 16  # of a quantized layer: two scales as float32, two zero points as int32


def affine_parameters(low: float, high: float) -> tuple[float, int]:
    """Scale and zero point of the INT8 code that covers the range from low to high, and zero.

    Args:
        low, high: the smallest and the largest value to represent (numbers, low <= high).

    Returns:
        (scale, zero_point): scale a positive float; zero_point an int from -128 to 127.
        If the widened range has width zero: (1.0, 0).

    Example:
        >>> scale, zero_point = affine_parameters(-1.0, 2.0)
        >>> round(scale * 255, 6), zero_point      # the zero point is -128 + 85
        (3.0, -43)

    Hints:
        1. Do the example by hand, then the range from 1 to 6. Which step above does the second one need?
        2. Which single width would you have to divide by, and must not?
        3. What arrives may be a numpy float32. In which type do you want to calculate?
    """
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    if low == high:
        return 1.0, 0
    scale = (high - low) / (INT8_MAX - INT8_MIN)
    zero_point = round(INT8_MIN - low / scale)
    return scale, zero_point


def to_codes(values: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """The INT8 codes of real values.

    Args:
        values: numpy array of floats, any shape. It is not changed.
        scale, zero_point: as `affine_parameters` returns them.

    Returns:
        numpy array of dtype int8 and the same shape. Values outside the range saturate.

    Example:
        >>> to_codes(np.array([-1.0, 0.0, 2.0, 99.0]), 3 / 255, -43)
        array([-128,  -43,  127,  127], dtype=int8)

    Hints:
        1. Four things happen to a value. In the formula above, which is done first, which last?
        2. If all codes are right but those of 99 and -99: what has happened before the limits were looked at?
    """
    steps = np.rint(np.asarray(values, dtype=np.float64) / scale) + zero_point
    codes: np.ndarray = np.clip(steps, INT8_MIN, INT8_MAX).astype(np.int8)
    return codes


def quantize_int8(tensor: Tensor) -> tuple[Tensor, float, int]:
    """Quantize a tensor to INT8 over its own range (widened to contain zero).

    Args:
        tensor: Tensor of floats, any shape, at least one element.

    Returns:
        (q_tensor, scale, zero_point): q_tensor is a Tensor whose `.data` is int8, of the same shape;
        scale a float and zero_point an int, one of each for the whole tensor.

    Example:
        >>> codes, scale, zero_point = quantize_int8(Tensor([-1.0, 0.0, 2.0]))
        >>> codes.data, round(scale * 255, 6), zero_point
        (array([-128,  -43,  127], dtype=int8), 3.0, -43)

    Hints:
        1. Which two numbers of the tensor does exercise 1 ask for?
        2. Exercise 2 works on arrays. Where does the Tensor have its array, and where must one come out again?
    """
    scale, zero_point = affine_parameters(tensor.data.min(), tensor.data.max())
    return Tensor(to_codes(tensor.data, scale, zero_point)), scale, zero_point


def dequantize_int8(q_tensor: Tensor, scale: float, zero_point: int) -> Tensor:
    """The real values that INT8 codes stand for: scale * (q - zero_point).

    Args:
        q_tensor: Tensor of int8 codes, any shape. It is not changed.
        scale, zero_point: as returned by `quantize_int8`.

    Returns:
        Tensor of dtype float32, the same shape.

    Example:
        >>> dequantize_int8(Tensor(np.array([-128, -43, 127], dtype=np.int8)), 3 / 255, -43).data.round(6)
        array([-1.,  0.,  2.], dtype=float32)

    Hints:
        1. Print the type of `q_tensor.data - zero_point`. Which values can it hold?
        2. If only codes far from the zero point are wrong, look at hint 1 again.
    """
    return Tensor(scale * (q_tensor.data.astype(np.float32) - zero_point))


def quantize_per_channel(weight: Tensor) -> tuple[Tensor, np.ndarray, np.ndarray]:
    """Quantize each column of a weight over its own range (widened to contain zero).

    Args:
        weight: Tensor of floats, shape (in_features, out_features). It is not changed.

    Returns:
        (q_weight, scales, zero_points): q_weight a Tensor, int8, of the same shape; scales an array of
        out_features floats, zero_points one of out_features integers. For each column,
        weight[:, j] is about scales[j] * (q_weight[:, j] - zero_points[j]).

    Example:
        >>> weight = Tensor([[-1.0, 0.0], [0.0, 100.0], [2.0, 255.0]])
        >>> codes, scales, zero_points = quantize_per_channel(weight)
        >>> codes.data.tolist(), scales.round(4).tolist(), zero_points.tolist()
        ([[-128, -128], [-43, -28], [127, 127]], [0.0118, 1.0], [-43, -128])

    Hints:
        1. You have a function that quantizes a tensor over its own range. What is a column?
        2. For a weight of shape (5, 3): what shape do you want to put together, and out of what?
    """
    outputs = weight.shape[1]
    codes, scales, zero_points = np.empty(weight.shape, dtype=np.int8), np.empty(outputs), np.empty(outputs, dtype=int)
    for place in range(outputs):
        column, scales[place], zero_points[place] = quantize_int8(Tensor(weight.data[:, place]))
        codes[:, place] = column.data
    return Tensor(codes), scales, zero_points


def int8_matmul(x_codes: np.ndarray, x_zero_point: int, w_codes: np.ndarray, w_zero_point: int) -> np.ndarray:
    """Sum over k of (x_codes[..., k] - x_zero_point) * (w_codes[k, j] - w_zero_point), in INT32.

    Args:
        x_codes: int8 array of shape (..., K), with any number of leading dimensions.
        w_codes: int8 array of shape (K, N).
        x_zero_point, w_zero_point: ints from -128 to 127.

    Returns:
        integer array of shape (..., N): exact, no floats on the way.

    Example:
        >>> x, w = np.array([[3, 5]], dtype=np.int8), np.array([[10], [20]], dtype=np.int8)
        >>> int8_matmul(x, 1, w, 0)      # (3 - 1) * 10 + (5 - 1) * 20
        array([[100]], dtype=int32)

    Hints:
        1. In the example, which types do `x - 1` and `x @ w` have as they stand? Print them.
        2. If only cases with a zero point fail: try (x_zero_point, 0) and (0, w_zero_point) on their own.
    """
    x, w = x_codes.astype(np.int32), w_codes.astype(np.int32)
    sums: np.ndarray = x @ w
    row_sums = x.sum(axis=-1, keepdims=True, dtype=np.int32)
    column_sums = w.sum(axis=0, dtype=np.int32)
    constant = np.int32(w.shape[0] * x_zero_point * w_zero_point)
    sums += constant - np.int32(w_zero_point) * row_sums - np.int32(x_zero_point) * column_sums
    return sums


class QuantizedLinear:
    """A Linear layer that stores INT8 weights and multiplies INT8 by INT8.

    `QuantizedLinear(linear_layer)` copies what it needs and does not keep the float layer.
    """

    q_weight: Tensor
    weight_scale: float
    weight_zero_point: int
    bias: Tensor | None
    original_bytes: int

    def __init__(self, linear_layer: Linear) -> None:
        """Quantize the weight (`store_weights`); the inputs' range stays open."""
        self.in_features, self.out_features = linear_layer.weight.shape
        self.input_scale: float | None = None
        self.input_zero_point: int | None = None
        store_weights(self, linear_layer)

    def calibrate(self, sample_inputs: list[Tensor]) -> None:
        """Fix the inputs' range by sample inputs (`calibration_range`); only the newest ones count."""
        self.input_scale, self.input_zero_point = calibration_range(sample_inputs)

    def forward(self, x: Tensor) -> Tensor:
        """Tensor (..., in_features) to (..., out_features) (`quantized_forward`)."""
        return quantized_forward(self, x)

    def __call__(self, x: Tensor) -> Tensor:
        """Same as `forward`."""
        return self.forward(x)

    def parameters(self) -> list[Tensor]:
        """What the layer stores: the codes of the weight, and the bias if there is one."""
        stored = [self.q_weight]
        if self.bias is not None:
            stored.append(self.bias)
        return stored

    def memory_usage(self) -> dict[str, float]:
        """Bytes before and after (`layer_memory`)."""
        return layer_memory(self)


def store_weights(layer: QuantizedLinear, linear_layer: Linear) -> None:
    """Set what a quantized layer keeps of a float layer.

    Afterwards `layer` has
        q_weight, weight_scale, weight_zero_point: as `quantize_int8` gives them for the weight
        bias: a Tensor of its own, float32, that holds the bias; None if there is no bias
        original_bytes: how many bytes the float layer's arrays occupy (`.data.nbytes`; a float16
            layer has half of a float32 one)

    Hints:
        1. Which of these does `quantize_int8` hand you, and in which order?
        2. If somebody changes the float layer's bias afterwards: may yours change as well?
    """
    layer.q_weight, layer.weight_scale, layer.weight_zero_point = quantize_int8(linear_layer.weight)
    layer.bias = None if linear_layer.bias is None else Tensor(linear_layer.bias.data.astype(np.float32))
    layer.original_bytes = sum(parameter.data.nbytes for parameter in linear_layer.parameters())


def calibration_range(sample_inputs: list[Tensor]) -> tuple[float, int]:
    """Scale and zero point for the smallest to the largest value over all samples.

    Args:
        sample_inputs: list of at least one Tensor; they may have different shapes. They are not changed.

    Returns:
        (scale, zero_point), as `affine_parameters` gives them.

    Hints:
        1. Two batches of shapes (2, 5) and (1, 5), one vector of shape (5,): what of them can be compared without
           putting them into one array?
        2. Is the average of two smallest values the smallest value of both?
    """
    low = min(sample.data.min() for sample in sample_inputs)
    high = max(sample.data.max() for sample in sample_inputs)
    return affine_parameters(low, high)


def quantized_forward(layer: QuantizedLinear, x: Tensor) -> Tensor:
    """Tensor (..., in_features) -> Tensor (..., out_features), float32.

    1. scale and zero point of the input: the calibrated ones, or this input's own range
    2. codes of the input
    3. `int8_matmul` with the codes of the weight
    4. both scales, then the bias

    The layer stays as it is: an uncalibrated one takes each input's own range, every time.

    Hints:
        1. Write the four lines down with shapes: what has shape (..., in_features), what (..., out_features)?
        2. Wrong by about the bias? Wrong by a factor? Print the output beside x @ weight for one row.
    """
    scale, zero_point = layer.input_scale, layer.input_zero_point
    if scale is None or zero_point is None:
        scale, zero_point = affine_parameters(x.data.min(), x.data.max())
    codes = to_codes(x.data, scale, zero_point)
    sums = int8_matmul(codes, zero_point, layer.q_weight.data, layer.weight_zero_point)
    output = sums * (scale * layer.weight_scale)
    if layer.bias is not None:
        output = output + layer.bias.data
    return Tensor(output.astype(np.float32))


def layer_memory(layer: QuantizedLinear) -> dict[str, float]:
    """Bytes of a layer before and after, measured from the arrays.

    Returns a dict with
        original_bytes: what the float layer's arrays occupied (`layer.original_bytes`)
        quantized_bytes: what the codes and the bias occupy (`.data.nbytes`), plus OVERHEAD_BYTES
        compression_ratio: original_bytes / quantized_bytes

    Hint: which arrays does the layer hold? Not every layer has both.
    """
    arrays = [tensor.data for tensor in (layer.q_weight, layer.bias) if tensor is not None]
    quantized_bytes = sum(array.nbytes for array in arrays) + OVERHEAD_BYTES
    return {
        "original_bytes": layer.original_bytes,
        "quantized_bytes": quantized_bytes,
        "compression_ratio": layer.original_bytes / quantized_bytes,
    }


def flat_layers(model: Any) -> list[Any]:
    """All layers of a model with `.layers`, containers inside it opened, in the order of the data."""
    layers: list[Any] = []
    for layer in model.layers:
        layers.extend(flat_layers(layer) if hasattr(layer, "layers") else [layer])
    return layers


def parameters_of(layer: Any) -> list[Tensor]:
    """The parameters of a layer; an empty list if it has none."""
    return list(layer.parameters()) if hasattr(layer, "parameters") else []


def model_bytes(model: Any) -> int:
    """Bytes of all layers of a model (with `.layers`; see `flat_layers`).

    A QuantizedLinear counts with its `quantized_bytes`, that is, with its overhead; every other layer
    with the bytes of its parameters' arrays (`.data.nbytes`), of whatever kind it is.

    Hints:
        1. Which layers know their bytes themselves? What do all the others have, if they have anything?
        2. Count a model of one Linear layer by hand, then put a container around it.
    """
    total = 0
    for layer in flat_layers(model):
        if isinstance(layer, QuantizedLinear):
            total += int(layer.memory_usage()["quantized_bytes"])
        else:
            total += sum(parameter.data.nbytes for parameter in parameters_of(layer))
    return total


def compare_model_sizes(original_model: Any, quantized_model: Any) -> dict[str, float]:
    """How many parameters and bytes two models have (models with `.layers`).

    Returns a dict with
        original_params, quantized_params: number of stored parameters (elements, not bytes)
        original_bytes, quantized_bytes: as `model_bytes` counts them
        compression_ratio: original_bytes / quantized_bytes
        memory_saved_mb: the difference in MB (2**20 bytes)
        memory_saved_percent: the difference in percent of original_bytes
    """
    original_bytes, quantized_bytes = model_bytes(original_model), model_bytes(quantized_model)
    saved = original_bytes - quantized_bytes

    def count(model: Any) -> int:
        return sum(parameter.data.size for layer in flat_layers(model) for parameter in parameters_of(layer))

    return {
        "original_params": count(original_model),
        "quantized_params": count(quantized_model),
        "original_bytes": original_bytes,
        "quantized_bytes": quantized_bytes,
        "compression_ratio": original_bytes / quantized_bytes,
        "memory_saved_mb": saved / BYTES_PER_MB,
        "memory_saved_percent": 100 * saved / original_bytes,
    }


def quantize_model(model: Any, calibration_data: list[Tensor] | None = None) -> dict[str, Any]:
    """Replace every Linear layer of a model by a QuantizedLinear, in place.

    Args:
        model: an object with a list `.layers`. A layer that has `.layers` of its own is opened too.
        calibration_data: list of Tensors, inputs of the model. Each layer is calibrated (`.calibrate`) with what
            arrives at it when nothing is dropped (Dropout with training=False). None or an empty
            list: the layers stay uncalibrated.

    Returns a dict with
        quantized_layers: {"layer_0": {"quantized": q_weight, "scale": ..., "zero_point": ...,
            "original_shape": (in, out)}, ...}; the number is the place in `.layers`, inside a
            container "layer_2.0" and so on
        original_size_mb, quantized_size_mb: `model_bytes` before and after, in MB (2**20)
        compression_ratio: the first by the second

    Raises:
        ValueError: if model has no `.layers` (a bare Linear, for example: there is nothing to
            replace it in).

    Hints:
        1. Without calibration data and without containers it is one loop. Begin with that.
        2. Carry two things along: the place in `.layers`, and the data that arrive there.
        3. For containers: what is the same question again, for a shorter list of layers?
    """
    if not hasattr(model, "layers"):
        raise ValueError(f"quantize_model needs a model with .layers, got {type(model).__name__}")
    original_bytes = model_bytes(model)
    quantized_layers: dict[str, dict[str, Any]] = {}

    def replace(layers: list[Any], data: list[Tensor], prefix: str) -> list[Tensor]:
        for index, layer in enumerate(layers):
            name = f"{prefix}{index}"
            if hasattr(layer, "layers"):
                data = replace(layer.layers, data, f"{name}.")
                continue
            if isinstance(layer, Linear):
                layers[index] = quantized = QuantizedLinear(layer)
                if data:
                    quantized.calibrate(data)
                quantized_layers[name] = {
                    "quantized": quantized.q_weight,
                    "scale": quantized.weight_scale,
                    "zero_point": quantized.weight_zero_point,
                    "original_shape": quantized.q_weight.data.shape,
                }
            data = [layer(x, training=False) if isinstance(layer, Dropout) else layer(x) for x in data]
        return data

    replace(model.layers, list(calibration_data or []), "layer_")
    quantized_bytes = model_bytes(model)
    return {
        "quantized_layers": quantized_layers,
        "original_size_mb": original_bytes / BYTES_PER_MB,
        "quantized_size_mb": quantized_bytes / BYTES_PER_MB,
        "compression_ratio": original_bytes / quantized_bytes,
    }


class QuantizationComplete:
    """The functions of this module under one name."""

    @staticmethod
    def quantize_tensor(tensor: Tensor) -> tuple[Tensor, float, int]:
        """`quantize_int8`."""
        return quantize_int8(tensor)

    @staticmethod
    def dequantize_tensor(q_tensor: Tensor, scale: float, zero_point: int) -> Tensor:
        """`dequantize_int8`."""
        return dequantize_int8(q_tensor, scale, zero_point)

    @staticmethod
    def quantize_model(model: Any, calibration_data: list[Tensor] | None = None) -> dict[str, Any]:
        """The function `quantize_model`: in place, and what it did."""
        return quantize_model(model, calibration_data)

    @staticmethod
    def compare_models(original_model: Any, quantized_info: dict[str, Any]) -> dict[str, float]:
        """Sizes in MB: the original model measured, the quantized one as `quantize_model` reported it."""
        original_mb = model_bytes(original_model) / BYTES_PER_MB
        quantized_mb = float(quantized_info["quantized_size_mb"])
        return {
            "original_mb": original_mb,
            "quantized_mb": quantized_mb,
            "compression_ratio": original_mb / quantized_mb,
            "memory_saved_mb": original_mb - quantized_mb,
        }


Quantizer = QuantizationComplete
