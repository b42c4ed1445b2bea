"""What flows into the linear layers of a network, seen over a calibration set, and weight scales chosen by it.

FP8 E4M3 has 3 bits of mantissa, so a scale moves where the steps of the grid fall. amax / 448 puts the largest weight
on the last step; up to twice that, no weight is cut either. Among such scales the one is taken whose rounding errors,
weighted by the mean square of the input channel that they meet, are smallest: an estimate of the layer's output error.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .storage import E4M3_MAX, fp8_values

_CANDIDATES = 16
Sample = tuple[tuple[Any, ...], dict[str, Any]]  # args and kwargs of one call
Floats = NDArray[np.float32]


@dataclass
class Calibration:
    """By path of the weight: mean square, and largest magnitude, of each input channel, f32 [K]."""

    energy: dict[str, Floats] = field(default_factory=dict)
    peak: dict[str, Floats] = field(default_factory=dict)

    def scales(self, name: str, weight: Floats) -> Floats | None:
        """Scales [N] of a weight [N, K]; None if the calibration did not see it."""
        energy = self.energy.get(name)
        return None if energy is None or weight.shape[1:] != energy.shape else weighted_scales(weight, energy)


def calibrate(module: nn.Module, samples: Iterable[Sample]) -> Calibration:
    """Runs the module on the samples and watches the inputs of its nn.Linear layers."""
    rows: dict[str, int] = {}
    squares: dict[str, Tensor] = {}
    peaks: dict[str, Tensor] = {}

    def watch(name: str, x: Tensor) -> None:
        flat = x.detach().float().reshape(-1, x.shape[-1])
        rows[name] = rows.get(name, 0) + len(flat)
        squares[name] = squares.get(name, torch.zeros(x.shape[-1])) + flat.square().sum(0)
        peaks[name] = torch.maximum(peaks.get(name, torch.zeros(x.shape[-1])), flat.abs().amax(0))

    hooks = [
        layer.register_forward_pre_hook(lambda _, inputs, name=f"{path}.weight": watch(name, inputs[0]))
        for path, layer in module.named_modules()
        if isinstance(layer, nn.Linear)
    ]
    try:
        with torch.no_grad():
            for args, kwargs in samples:
                module(*args, **kwargs)
    finally:
        for hook in hooks:
            hook.remove()
    return Calibration(
        energy={name: (squares[name] / rows[name]).numpy() for name in squares},
        peak={name: peaks[name].numpy() for name in peaks},
    )


def weighted_scales(weight: Floats, energy: Floats) -> Floats:
    """Scales [N] of a weight [N, K] for input channels of mean square `energy` [K]."""
    base = np.abs(weight).max(1) / np.float32(E4M3_MAX)
    base = np.where(base > 0, base, np.float32(1)).astype(np.float32)
    best, least = base, np.full(len(weight), np.inf)
    for step in range(_CANDIDATES):
        scales = (base * 2 ** (step / _CANDIDATES)).astype(np.float32)
        error = weight - fp8_values(weight, scales)
        cost = (error.astype(np.float64) ** 2 * energy).sum(1)
        best = np.where(cost < least, scales, best)
        least = np.minimum(cost, least)
    return best
