"""The activations of linear, conv2d, group_norm and pointwise, in float64."""

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_erf = np.vectorize(math.erf, otypes=[np.float64])


def sigmoid(x: Array) -> Array:
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


def silu(x: Array) -> Array:
    return x * sigmoid(x)


def gelu(x: Array) -> Array:
    return 0.5 * x * (1 + _erf(x / math.sqrt(2)))


def gelu_tanh(x: Array) -> Array:
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def activate(x: Array, act: str) -> Array:
    """`act` as ops.def spells it: none, gelu, gelu_tanh, silu, relu."""
    if act == "none":
        return x
    return {"gelu": gelu, "gelu_tanh": gelu_tanh, "silu": silu, "relu": lambda v: np.maximum(v, 0)}[act](x)
