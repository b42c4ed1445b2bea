"""Which layers cost most quality when their weights become FP8: one layer at a time, in eager PyTorch."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from .calibrate import Calibration, Sample
from .storage import fp8_values, is_wide, plain_scales


@dataclass(frozen=True)
class LayerCost:
    """`error` is the relative RMS error of the module's outputs with this one weight in FP8; `saved` the bytes that it
    takes less than in bf16."""

    name: str
    error: float
    saved: int


def sensitivity(
    module: nn.Module, samples: Sequence[Sample], calibration: Calibration | None = None
) -> list[LayerCost]:
    """The cost of every weight that FP8 storage would narrow, the dearest first."""
    expected = _outputs(module, samples)
    costs = []
    for path, layer in module.named_modules():
        if isinstance(layer, nn.Linear) and is_wide(tuple(layer.weight.shape)):
            name = f"{path}.weight"
            with _narrowed(layer, name, calibration):
                error = _relative_rms(_outputs(module, samples), expected)
            costs.append(LayerCost(name, error, layer.weight.numel()))
    return sorted(costs, key=lambda cost: -cost.error)


def layers_to_keep(costs: Sequence[LayerCost], budget: float) -> tuple[str, ...]:
    """The dearest layers, as few as leave the others within `budget` (relative RMS); errors of different layers are
    taken as independent. For `export(keep=...)`."""
    kept = 0
    while kept < len(costs) and sum(cost.error**2 for cost in costs[kept:]) > budget**2:
        kept += 1
    return tuple(cost.name for cost in costs[:kept])


def report(costs: Sequence[LayerCost], count: int = 20) -> str:
    """The dearest layers as a table."""
    lines = [f"{'layer':48} {'error':>9} {'KiB saved':>9}"]
    lines += [f"{cost.name:48} {cost.error:9.2e} {cost.saved / 1024:9.1f}" for cost in costs[:count]]
    return "\n".join(lines)


@contextmanager
def _narrowed(layer: nn.Linear, name: str, calibration: Calibration | None) -> Iterator[None]:
    original = layer.weight.data
    weight = original.float().numpy()
    scales = calibration.scales(name, weight) if calibration else None
    layer.weight.data = torch.from_numpy(fp8_values(weight, plain_scales(weight) if scales is None else scales))
    try:
        yield
    finally:
        layer.weight.data = original


def _outputs(module: Callable[..., Any], samples: Sequence[Sample]) -> list[np.ndarray[Any, Any]]:
    with torch.no_grad():
        leaves = [leaf for args, kwargs in samples for leaf in pytree.tree_leaves(module(*args, **kwargs))]
    return [leaf.double().numpy() for leaf in leaves if isinstance(leaf, Tensor) and leaf.is_floating_point()]


def _relative_rms(actual: list[np.ndarray[Any, Any]], expected: list[np.ndarray[Any, Any]]) -> float:
    error = sum(float(np.square(a - b).sum()) for a, b in zip(actual, expected, strict=True))
    return float(np.sqrt(error / sum(float(np.square(b).sum()) for b in expected)))
