"""When a played world first contradicts where it began.

The true actions are played, so what ought to be seen is known. A picture contradicts it when its feature map is no more
similar to the right view than an unrelated view of the same world often is: the threshold is the 95th percentile of the
similarity between right views of different starts. Views are compared as the VAE shows them, so blur costs nothing.

Legend: N starts, K latents looked at.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from .features import Features

EVERY = 4  # latents between two looks
UNRELATED = 95  # percentile


def similarity(a_NChw: Tensor, b_NChw: Tensor, mean_Chw: Tensor) -> Tensor:
    """Cosine between feature maps less what all views share, `[N]`."""
    a, b = ((x - mean_Chw).flatten(1) for x in (a_NChw, b_NChw))
    return torch.nn.functional.cosine_similarity(a, b, dim=1)


def first_contradiction(similar_NK: np.ndarray, threshold: float, looks: list[int]) -> np.ndarray:
    """The latent of the first look below `threshold`, `[N]`; infinite where there is none."""
    below = similar_NK < threshold
    return np.where(below.any(1), np.array(looks, float)[below.argmax(1)], np.inf)


def contradictions(features: Features, right: Tensor, ways: dict[str, Tensor], looks: list[int]) -> dict[str, Any]:
    """From frames uint8 `[N,K,H,W,3]`: the right views and those that each way shows, at the latents `looks`.

    For each way: the median latent of the first contradiction (None: most starts have none) and the share of the starts
    that have had none so far, by latent.
    """
    shape = right.shape[:2]
    maps = features.maps(right.flatten(0, 1))
    mean = maps.mean(0)
    # Another start's view at the same look: places drawn independently.
    others = maps.unflatten(0, shape).roll(1, 0).flatten(0, 1)
    threshold = float(np.percentile(similarity(maps, others, mean).numpy(), UNRELATED))
    report: dict[str, Any] = {"threshold": round(threshold, 4), "looks": looks}
    for name, frames in ways.items():
        similar = similarity(features.maps(frames.flatten(0, 1)), maps, mean).reshape(shape).numpy()
        first = first_contradiction(similar, threshold, looks)
        median = float(np.median(first))
        report[name] = {
            "median_first": median if np.isfinite(median) else None,
            "consistent_share": [round(float((first > look).mean()), 4) for look in looks],
            "similarity": [round(float(value), 4) for value in similar.mean(0)],
        }
    return report
