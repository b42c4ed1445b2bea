"""FP8 E4M3 ("e4m3fn": no infinity, largest 448) in float64, and the two ways a GEMM's operands are quantised to it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

LARGEST = 448.0


def round_to_e4m3(x: Array) -> Array:
    """To the nearest E4M3 value, ties to even; what is beyond 448 becomes 448."""
    magnitude = np.abs(np.asarray(x, np.float64))
    with np.errstate(divide="ignore"):
        exponent = np.maximum(np.floor(np.log2(magnitude)), -6)  # below 2^-6 the steps stay those of 2^-6
    step = 2.0 ** (np.where(np.isfinite(exponent), exponent, -6) - 3)
    return np.sign(x) * np.minimum(np.round(magnitude / step) * step, LARGEST)


def quantise_rows(x: Array) -> Array:
    """What rows [..., K] stand for once each is quantised with a scale of its own, which brings its largest to 448.
    Scales and codes follow the kernels' float32 arithmetic step by step, so that both sides agree on every code."""
    x = np.asarray(x, np.float32)
    scale = np.maximum(np.abs(x).max(-1, keepdims=True), np.float32(1e-12)) / np.float32(LARGEST)
    return round_to_e4m3(x * (np.float32(1) / scale)) * scale.astype(np.float64)
