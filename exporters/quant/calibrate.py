"""What flows into the layers of a network, seen over a calibration set, and scales chosen by it.

FP8 E4M3 has 3 bits of mantissa, so a scale moves where the steps of the grid fall. amax / 448 puts the largest weight
on the last step; up to twice that, no weight is cut either. Among such scales the one is taken whose rounding errors,
weighted by the mean square of the input channel that they meet, are smallest: an estimate of the layer's output error.

The largest magnitude that a layer saw is the peak of its static activation scale (`export(activations="static")`).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .storage import E4M3_MAX, fp8_values

_CANDIDATES = 16
_LAYERS = (
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)
Sample = tuple[tuple[Any, ...], dict[str, Any]]  # args and kwargs of one call
Floats = NDArray[np.float32]


@dataclass
class Calibration:
    """By path of the weight, over all that it multiplied: mean square of each input channel of linear layers, f32 [K],
    and the largest magnitude."""

    energy: dict[str, Floats] = field(default_factory=dict)
    peak: dict[str, float] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)  # that `energy` is the mean over

    def scales(self, name: str, weight: Floats) -> Floats | None:
        """Scales [N] of a weight [N, K]; None if the calibration did not see it."""
        energy = self.energy.get(name)
        return None if energy is None or weight.shape[1:] != energy.shape else weighted_scales(weight, energy)

    def input_peak(self, tensor: str) -> float:
        """Of a tensor of the package, which may be a weight in another shape ("NAME[SHAPE]"); 0 if it was not seen."""
        return self.peak.get(tensor.split("[")[0], 0.0)

    def see(self, name: str, x: Tensor, by_channel: bool) -> None:
        """Adds what a call multiplied the weight with; by_channel: the last dimension of x is the weight's."""
        self.peak[name] = max(self.peak.get(name, 0.0), float(x.abs().max()))
        if by_channel:
            flat = x.detach().float().reshape(-1, x.shape[-1])
            before = self.rows.get(name, 0)
            rows = self.rows[name] = before + len(flat)
            energy: Floats = (flat.square().sum(0) / rows).numpy()
            self.energy[name] = energy + self.energy[name] * np.float32(before / rows) if before else energy


@contextmanager
def watched(module: nn.Module) -> Iterator[Calibration]:
    """While it lasts, every call of the module's linear layers and convolutions is seen, however they are reached."""
    paths: dict[nn.Parameter, list[str]] = {}  # a weight of two layers has two, and torch.export chooses one
    for path, parameter in module.named_parameters(remove_duplicate=False):
        paths.setdefault(parameter, []).append(path)
    seen = Calibration()

    def see(layer: Any, inputs: tuple[Tensor, ...]) -> None:
        for name in paths[layer.weight]:
            seen.see(name, inputs[0], isinstance(layer, nn.Linear))

    hooks = [layer.register_forward_pre_hook(see) for layer in module.modules() if isinstance(layer, _LAYERS)]
    try:
        with torch.no_grad():
            yield seen
    finally:
        for hook in hooks:
            hook.remove()


def calibrate(module: nn.Module, samples: Iterable[Sample]) -> Calibration:
    """Runs the module on the samples and watches what its layers multiply."""
    with watched(module) as seen:
        for args, kwargs in samples:
            module(*args, **kwargs)
    return seen


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
