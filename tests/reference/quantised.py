"""What the precisions int8 and fp8 make of weights and activations: the values that codes and scales stand for.

The scales and codes follow the kernels' float32 arithmetic step by step (one division or product, one rounding), so
that both sides agree on every code; all that comes after is float64.
"""

from collections.abc import Sequence

import numpy as np

from tests.reference.bfloat16 import to_bf16
from tests.reference.ops import Array, Attrs, Inputs, Reference, convolve, linear, receptive_fields


def int8_rows(x: Array) -> Array:
    """Rows (along the last dimension) rounded to bf16, then to codes of -127 .. 127 with a scale a row. A row with an
    infinity or NaN becomes NaN."""
    x = to_bf16(x.astype(np.float32))
    high = np.abs(x).max(-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(high < np.float32(2e-36), np.float32(0), np.float32(127) / high)
        codes = np.rint(x * inverse)
    values = codes.astype(np.float64) * (high / np.float32(127)).astype(np.float64)
    return np.where(np.isfinite(high), values, np.nan)


def int8_rows_to_peak(x: Array, peak: float) -> Array:
    """The same with one scale for all rows: that of `peak`, to which larger values are cut."""
    x, high = to_bf16(x.astype(np.float32)), np.float32(peak)
    codes = np.rint(np.clip(x * (np.float32(127) / high), -127, 127))
    return codes.astype(np.float64) * float(high / np.float32(127))


def _channels(weight: Array, largest: float) -> tuple[Array, Array]:
    """Weight / scale and scale [O, 1]: an output channel's largest magnitude becomes `largest`."""
    rows = weight.reshape(len(weight), -1)
    scale = np.abs(rows).max(1, keepdims=True) / np.float32(largest)
    scale = np.where(scale > 0, scale, np.float32(1))
    return rows / scale, scale


def int8_channels(weight: Array) -> Array:
    """A weight whose output channels (its first dimension) are codes of -127 .. 127 with a scale each."""
    scaled, scale = _channels(weight, 127)
    return (np.rint(scaled).astype(np.float64) * scale).reshape(weight.shape)


def e4m3_channels(weight: Array) -> Array:
    """A weight whose output channels are E4M3 numbers with a scale each."""
    scaled, scale = _channels(weight, 448)
    exponent = np.maximum(np.frexp(scaled)[1] - 1, -6)  # subnormals below 2^-6
    step = np.ldexp(1.0, exponent - 3)
    rounded = np.clip(np.rint(scaled / step) * step, -448, 448)
    return (rounded * scale).reshape(weight.shape)


def int8_linear(inputs: Inputs, attrs: Attrs, shape: Sequence[int], dtype: str) -> Array:
    x, *rest = inputs
    assert x is not None
    return linear([int8_rows(x), *rest], attrs, shape, dtype)


def int8_conv2d(inputs: Inputs, attrs: Attrs, shape: Sequence[int], dtype: str) -> Array:
    """A receptive field, of one group, is a row."""
    x, weight, bias, residual = inputs
    assert x is not None
    assert weight is not None
    fields = int8_rows(receptive_fields(x, weight.shape[1:3], attrs, shape))
    return convolve(fields, weight, bias, residual, attrs, shape)


INT8: dict[str, Reference] = {"linear": int8_linear, "conv2d": int8_conv2d}
