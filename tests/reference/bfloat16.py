"""bfloat16 in f32 arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def to_bf16(x: Array) -> Array:
    """f32 values rounded to bfloat16, ties to even; NaN and infinity stay."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)
    return np.where(np.isfinite(x), rounded, x)
