"""Weights as f32, bf16 or FP8 E4M3 with one f32 scale an output channel (its first dimension): amax / 448.

A weight is an operand of that role in the table of ops. Everything else (biases, tables, start latents) stays f32: it
is small. Under "fp8", only matrices are narrowed, and of them those with both extents wide: convolutions and narrow
matrices read or write pixels and latents directly, where an error is seen at once, and they are a small part of the
file.
"""

from dataclasses import dataclass, replace
from fnmatch import fnmatch
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from ..ir import Module
from ..ir.program import Tensor
from ..ir.serialize import Encoded, plain
from ..ir.table import op_table

if TYPE_CHECKING:  # which reads the encodings below
    from .calibrate import Calibration

STORES = ("f32", "bf16", "fp8")
ACTIVATIONS = ("dynamic", "static")
E4M3_MAX = 448.0
_NARROW = 64


@dataclass(frozen=True)
class Storage:
    """How weights go into a package: one of STORES; under "fp8", tensors whose name matches a pattern of `keep` (shell
    style) stay bf16, and `calibration` chooses the scales of the others. With `activations` "static" it gives every
    weight the peak of its inputs, too."""

    weights: str = "bf16"
    keep: tuple[str, ...] = ()
    calibration: "Calibration | None" = None
    activations: str = "dynamic"

    def __post_init__(self) -> None:
        for what, value, known in (("weights", self.weights, STORES), ("activations", self.activations, ACTIVATIONS)):
            if value not in known:
                raise ValueError(f"{what} {value!r} must be one of {', '.join(known)}")
        if self.activations == "static" and self.calibration is None:
            raise ValueError("static activations need a calibration (exporters.quant.calibrate)")


def choose_storage(module: Module, storage: Storage) -> None:
    """Sets how each weight of the module is stored. ValueError if a pattern of `keep` matches nothing."""
    narrow = {"f32": "f32", "bf16": "bf16", "fp8": "f8e4m3"}[storage.weights]
    weights_only = _read_as_weights(module)
    unmatched = [pattern for pattern in storage.keep if not any(fnmatch(name, pattern) for name in weights_only)]
    if unmatched:
        known = ", ".join(sorted(weights_only)[:20])
        raise ValueError(f"no tensor is named like {', '.join(unmatched)}; there are {known}, ...")
    for name in (name for name, is_weight in weights_only.items() if is_weight):
        tensor = module.tensors[name]
        kept = not is_wide(tensor.data.shape) or any(fnmatch(name, pattern) for pattern in storage.keep)
        tensor.store = "bf16" if storage.weights == "fp8" and kept else narrow
        if storage.calibration is None:
            continue
        if tensor.store == "f8e4m3":
            tensor.scales = storage.calibration.scales(name, tensor.data)
        if storage.activations == "static":
            tensor.input_peak = storage.calibration.input_peak(name)


def _read_as_weights(module: Module) -> dict[str, bool]:
    """Of each tensor that an op reads: does every op that reads it read it as a weight?"""
    weights_only: dict[str, bool] = {}
    for program in module.programs.values():
        for op in program.ops:
            definition = op_table()[op.name]
            for index, value in enumerate(op.inputs):
                if value is not None and value.source == "tensor":
                    is_weight = definition.input(index).role == "weight"
                    weights_only[value.name] = is_weight and weights_only.get(value.name, True)
    return weights_only


def _bf16_bits(array: NDArray[np.float32]) -> NDArray[np.int16]:
    bits: NDArray[np.int16] = torch.from_numpy(array.copy()).to(torch.bfloat16).view(torch.int16).numpy()
    return bits


def plain_scales(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """amax / 448 of each output channel; 1 where that is 0."""
    amax = np.abs(array.reshape(len(array), -1)).max(1)
    return np.where(amax > 0, amax / np.float32(E4M3_MAX), np.float32(1)).astype(np.float32)


def fp8_values(array: NDArray[np.float32], scales: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a reader gets back of values stored as FP8 with these scales."""
    values: NDArray[np.float32] = _e4m3(array, scales).float().numpy()
    return values * scales.reshape(-1, *[1] * (array.ndim - 1))


def is_wide(shape: tuple[int, ...]) -> bool:
    """True for a weight that FP8 storage narrows."""
    return len(shape) == 2 and min(shape) >= _NARROW


def _e4m3(array: NDArray[np.float32], scales: NDArray[np.float32]) -> torch.Tensor:
    scaled = array / scales.reshape(-1, *[1] * (array.ndim - 1))
    return torch.from_numpy(scaled).clamp(-E4M3_MAX, E4M3_MAX).to(torch.float8_e4m3fn)


def encode(tensor: Tensor) -> Encoded:
    """The tensor as `store` says."""
    if tensor.store == "bf16":
        return Encoded("BF16", tensor.data.shape, _bf16_bits(tensor.data).tobytes(), None, tensor.input_peak)
    if tensor.store == "f8e4m3":
        scales = plain_scales(tensor.data) if tensor.scales is None else tensor.scales
        raw = _e4m3(tensor.data, scales).view(torch.uint8).numpy().tobytes()
        return Encoded("F8_E4M3", tensor.data.shape, raw, scales, tensor.input_peak)
    return replace(plain(tensor.data), input_peak=tensor.input_peak)
