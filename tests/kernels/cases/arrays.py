"""Random operands; each module of cases has a generator of its own, so that adding a case elsewhere changes nothing."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Arrays:
    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def normal(self, *shape: int, mean: float = 0.0, scale: float = 1.0) -> Array:
        return np.asarray(mean + scale * self._rng.standard_normal(shape), np.float32)

    def integers(self, low: int, high: int, *shape: int, dtype: str = "int64") -> Array:
        """In [low, high)."""
        return self._rng.integers(low, high, shape).astype(dtype)

    def signs(self, *shape: int) -> Array:
        """Bools."""
        return self._rng.integers(0, 2, shape).astype(np.bool_)
