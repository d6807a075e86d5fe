# module: 05_autograd
"""Automatic differentiation: every name of module 05. Importing this turns it on.

Three files do the work, to be read in this order:

- `tape`: how an operation leaves a Function on its result, and how backward walks these;
- `tensor_gradients`: the rules of what a Tensor can do (module 01);
- `model_gradients`: the rules of look-ups, activations and losses.

A layer with an operation of its own, as `spatial` has, brings its rule along.

Each rule is the chain rule for one operation. With L the number that training lowers and y = f(a, b), a rule takes
∂L/∂y, of the shape of y, and returns ∂L/∂a and ∂L/∂b, of the shapes of a and b. Gradients are plain numpy arrays, in
`.grad` too. For y = a b, ∂L/∂a = b ∂L/∂y and ∂L/∂b = a ∂L/∂y:

>>> from .tensor import Tensor
>>> a, b = Tensor(5, requires_grad=True), Tensor(3, requires_grad=True)
>>> [float(gradient) for gradient in MulBackward(a, b).apply(1.0)]
[3.0, 5.0]
>>> (a * b).backward()
>>> float(a.grad), float(b.grad)
(3.0, 5.0)
"""

from .model_gradients import (
    BCEBackward,
    CrossEntropyBackward,
    EmbeddingBackward,
    GELUBackward,
    LogSoftmaxBackward,
    MSEBackward,
    ReLUBackward,
    SigmoidBackward,
    SoftmaxBackward,
    TanhBackward,
)
from .tape import Function, Gradients, enable_autograd, gradient_rule, no_grad
from .tensor_gradients import (
    AddBackward,
    DivBackward,
    GetitemBackward,
    MatmulBackward,
    MaxBackward,
    MeanBackward,
    MulBackward,
    NegBackward,
    PermuteBackward,
    PowBackward,
    ReshapeBackward,
    SubBackward,
    SumBackward,
    TransposeBackward,
    unbroadcast,
)

__all__ = [
    "AddBackward",
    "BCEBackward",
    "CrossEntropyBackward",
    "DivBackward",
    "EmbeddingBackward",
    "Function",
    "GELUBackward",
    "GetitemBackward",
    "Gradients",
    "LogSoftmaxBackward",
    "MSEBackward",
    "MatmulBackward",
    "MaxBackward",
    "MeanBackward",
    "MulBackward",
    "NegBackward",
    "PermuteBackward",
    "PowBackward",
    "ReLUBackward",
    "ReshapeBackward",
    "SigmoidBackward",
    "SoftmaxBackward",
    "SubBackward",
    "SumBackward",
    "TanhBackward",
    "TransposeBackward",
    "enable_autograd",
    "gradient_rule",
    "no_grad",
    "unbroadcast",
]

enable_autograd()
