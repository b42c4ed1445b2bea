"""Means with confidence intervals: the starts are resampled, since noise seeds of one start are no new evidence."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A mean and its 95 % interval (percentile bootstrap)."""

    mean: float
    low: float
    high: float

    def to_list(self) -> list[float]:
        return [round(value, 4) for value in (self.mean, self.low, self.high)]


def estimate(values: Tensor | np.ndarray, seed: int = 0) -> Estimate:
    """Estimate from one value for each start, `[N]`."""
    sample = np.asarray(values, np.float64)
    rng = np.random.default_rng(seed)
    means = sample[rng.integers(len(sample), size=(RESAMPLES, len(sample)))].mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(float(sample.mean()), float(low), float(high))
