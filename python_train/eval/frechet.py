"""Fréchet distance between two sets of pictures (Heusel et al. 2017, FID), in features of EfficientNet-Lite0: not
comparable with distances in other features, and biased upwards for small sets: compare sets of one size."""

import numpy as np
from torch import Tensor


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Distance of two Gaussians fitted to features `[N,C]`: |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))."""
    (mean_a, cov_a), (mean_b, cov_b) = (
        (x.mean(0), np.cov(x, rowvar=False)) for x in (a.astype(np.float64), b.astype(np.float64))
    )
    values, vectors = np.linalg.eigh(cov_a)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    # (S1 S2)^(1/2) has the eigenvalues' roots of the symmetric S1^(1/2) S2 S1^(1/2).
    cross = np.sqrt(np.linalg.eigvalsh(root @ cov_b @ root).clip(min=0)).sum()
    return float(np.square(mean_a - mean_b).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * cross)


def pooled(maps_NChw: Tensor) -> np.ndarray:
    """What is seen, wherever it is: `[N,C]`."""
    return maps_NChw.mean((2, 3)).numpy()
