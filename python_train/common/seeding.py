"""Randomness as a function of (seed, purpose, step): nothing to save, so a resumed run continues exactly."""

import numpy as np
import torch


def numpy_rng(seed: int, *stream: int) -> np.random.Generator:
    return np.random.default_rng([seed, *stream])


def torch_rng(seed: int, *stream: int) -> torch.Generator:
    """CPU generator of one stream; noise is drawn on the CPU so that every device sees the same values."""
    state = np.random.SeedSequence([seed, *stream]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state >> np.uint64(1)))
