"""`pointwise` (docs/pointwise.md), one instruction after the other. Floats are float64 rounded to f32 after each."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.reference.activations import gelu, gelu_tanh, sigmoid, silu

Array = NDArray[Any]


def _floordiv(a: Array, b: Array) -> Array:
    if a.dtype == np.int64:
        return np.where(b == 0, 0, a // np.where(b == 0, 1, b))
    return np.floor(a / b)


def _mod(a: Array, b: Array) -> Array:
    if a.dtype == np.int64:
        return np.where(b == 0, 0, a % np.where(b == 0, 1, b))
    return a - b * np.floor(a / b)


def _to_int(x: Array) -> Array:
    """Truncates and saturates; NaN gives 0."""
    inside = np.abs(x) < 2.0**63
    limits = np.where(x > 0, np.iinfo(np.int64).max, np.iinfo(np.int64).min)
    return np.where(np.isnan(x), 0, np.where(inside, np.where(inside, x, 0).astype(np.int64), limits))


def _int(x: Array) -> Array:
    return x.astype(np.int64)


def _bounded(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """Of an angle: NaN from 2^26 on."""
    return lambda x: np.where(np.abs(x) < 2.0**26, function(x), np.nan)


_FUNCTIONS: dict[str, Callable[..., Array]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "pow": np.power,
    "min": np.minimum, "max": np.maximum, "neg": np.negative, "abs": np.abs,
    "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "rsqrt": lambda x: 1 / np.sqrt(x), "tanh": np.tanh,
    "sigmoid": sigmoid, "silu": silu, "gelu": gelu, "gelu_tanh": gelu_tanh, "relu": lambda x: np.maximum(x, 0),
    "sin": _bounded(np.sin), "cos": _bounded(np.cos), "floor": np.floor, "ceil": np.ceil, "round": np.round,
    "floordiv": _floordiv, "mod": _mod,
    "eq": lambda a, b: _int(a == b), "ne": lambda a, b: _int(a != b), "lt": lambda a, b: _int(a < b),
    "le": lambda a, b: _int(a <= b), "gt": lambda a, b: _int(a > b), "ge": lambda a, b: _int(a >= b),
    "and": lambda a, b: _int((a != 0) & (b != 0)), "or": lambda a, b: _int((a != 0) | (b != 0)),
    "not": lambda a: _int(a == 0),
    "where": lambda c, a, b: np.where(c != 0, a, b),
    "float": lambda a: a.astype(np.float64), "int": _to_int,
    "clamp": lambda x, low, high: np.minimum(np.maximum(x, low), high),
}  # fmt: skip

INSTRUCTIONS = tuple(_FUNCTIONS)


def _literal(word: str) -> Array:
    is_float = any(c in word for c in ".e") or word in ("inf", "-inf", "nan")
    return np.array(np.float32(word), np.float64) if is_float else np.array(int(word))


def _register(x: Array) -> Array:
    """As a register holds it: i64, or f32 (kept in float64)."""
    if np.issubdtype(x.dtype, np.floating):
        return np.asarray(x, np.float32).astype(np.float64)
    return np.asarray(x, np.int64)


def pointwise(inputs: Sequence[Array], expr: Sequence[str], shape: Sequence[int], dtype: str) -> Array:
    """The last instruction's result, broadcast to `shape` and stored as `dtype` (f32 stays float64)."""
    results: list[Array] = []
    operands = [_register(np.asarray(x)) for x in inputs]

    def value(word: str) -> Array:
        if word[0] == "%":
            return results[int(word[1:])]
        return operands[int(word[1:])] if word[0] == "i" and word != "inf" else _literal(word)

    with np.errstate(all="ignore"):
        for instruction in expr:
            name, *words = instruction.split()
            results.append(_register(_FUNCTIONS[name](*(value(word) for word in words))))
        return store(np.broadcast_to(results[-1], shape), dtype)


def store(x: Array, dtype: str) -> Array:
    if dtype == "bool":
        return x != 0
    if dtype == "u8" and x.dtype == np.float64:  # saturates
        return np.clip(np.nan_to_num(x, nan=0.0), 0, 255).astype(np.uint8)
    return x if dtype == "f32" else x.astype({"i64": np.int64, "i32": np.int32, "u8": np.uint8}[dtype])
