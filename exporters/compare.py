"""Plays a checkpoint in eager PyTorch and its package in the runtime: same noise, same actions, every step compared.

Eager gets its weights rounded as the package stores them, so that the difference is the runtime's alone; the error
against the original weights, which adds the storage's, stands beside it.
"""

import json
import os
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import yanrt
from python_train.common.checkpoint import load_model
from python_train.sim.frame_loop import FrameLoop
from python_train.sim.world import SimModel
from yanrt import _C

from .quant.storage import fp8_values

# What a package must keep: relative RMS of the latent a step, and PSNR in dB of the frames of a free rollout.
STEP_LIMITS = {"fp32": 1e-3, "bf16": 3e-2}
ROLLOUT_LIMITS = {"fp32": 45.0}
ROLLOUT_STEPS = 16


@dataclass
class Comparison:
    """Errors of one precision: relative RMS of each step's latent, PSNR of each rollout frame pair (dB)."""

    precision: str
    steps: list[float] = field(default_factory=list)
    steps_original: list[float] = field(default_factory=list)
    rollout_psnr: list[float] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        psnr = ROLLOUT_LIMITS.get(self.precision, -np.inf)
        return max(self.steps) <= STEP_LIMITS[self.precision] and min(self.rollout_psnr) >= psnr

    def summary(self) -> str:
        return (
            f"{self.precision}: worst step {max(self.steps):.2e} of {len(self.steps)}"
            f" (limit {STEP_LIMITS[self.precision]:.0e}),"
            f" against the original weights {max(self.steps_original):.2e};"
            f" rollout of {len(self.rollout_psnr)}: worst {min(self.rollout_psnr):.1f} dB:"
            f" {'ok' if self.ok else 'FAILS'}"
        )


def _file_dtypes(package: str | os.PathLike[str]) -> dict[str, str]:
    with Path(package).open("rb") as file:
        header: dict[str, Any] = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    return {name: entry["dtype"] for name, entry in header.items() if name != "__metadata__"}


def round_as_stored(model: SimModel, package: str | os.PathLike[str]) -> None:
    """Rounds the model's weights as the package stores them. A tensor that was rearranged at export carries its new
    shape in brackets; output channels stay first, so the rounding is the same."""
    stores = {name.split("[")[0]: (name, dtype) for name, dtype in _file_dtypes(package).items()}
    opened = _C.Package.read(os.fspath(package))
    with torch.no_grad():
        for path, parameter in model.named_parameters():
            name, dtype = stores.get(path, ("", ""))
            if dtype == "BF16":
                parameter.copy_(parameter.to(torch.bfloat16))
            elif dtype == "F8_E4M3":
                parameter.copy_(torch.from_numpy(fp8_values(parameter.numpy(), opened.tensor(f"{name}.scale"))))


def held_actions(steps: int, shape: tuple[int, ...], seed: int) -> Tensor:
    """Buttons that are held for a while, f32 [steps, B, T, A]."""
    rng = np.random.default_rng(seed)
    held = (rng.random((steps // 4 + 1, shape[0], 1, shape[2])) < 0.3).astype(np.float32)
    return torch.from_numpy(held.repeat(4, 0)[:steps].repeat(shape[1], 2))


def _relative_rms(value: NDArray[Any], truth: NDArray[Any]) -> float:
    return float(np.sqrt(np.square(value - truth).mean() / np.square(truth).mean()))


def _psnr(value: NDArray[Any], truth: NDArray[Any]) -> float:
    mse = np.square(value.astype(np.float64) - truth).mean()
    return float(10 * np.log10(255.0**2 / max(mse, 1e-10)))


class _Player:
    """One checkpoint's eager loop, ready to play from the package's first start."""

    def __init__(self, model: SimModel, batch: int, seed: int) -> None:
        self.model = model
        self.loop = FrameLoop(model.denoiser, model.config, batch).eval()
        self.loop.reset(torch.arange(batch) + seed)
        for latent, action in zip(model.start.latents[0], model.start.actions[0], strict=True):
            self.loop.append(latent.expand(batch, -1, -1, -1), action.expand(batch, -1, -1))

    def copy_state_to(self, runner: yanrt.Runner) -> None:
        for name, buffer in self.loop.state().items():
            runner.state[name] = buffer.numpy()


@torch.no_grad()
def compare(
    package: str | os.PathLike[str], checkpoint: str | os.PathLike[str], steps: int = 64, seed: int = 0
) -> list[Comparison]:
    """One Comparison a precision. Every step starts from eager's state; the rollout runs freely."""
    torch.manual_seed(seed)
    model, original = (load_model(Path(checkpoint))[0] for _ in range(2))
    assert isinstance(model, SimModel)
    assert isinstance(original, SimModel)
    round_as_stored(model, package)
    results = []
    for precision in STEP_LIMITS:
        engine = yanrt.Engine(package, precision=precision)
        batch = engine.package.batch
        d = model.config.denoiser
        actions = held_actions(max(steps, ROLLOUT_STEPS), (batch, d.actions_per_latent, d.buttons), seed)
        result = Comparison(precision)
        _compare_steps(result, engine, model, original, actions[:steps], seed)
        _compare_rollout(result, engine, model, actions[:ROLLOUT_STEPS], seed)
        results.append(result)
    return results


def _compare_steps(
    result: Comparison, engine: yanrt.Engine, model: SimModel, original: SimModel, actions: Tensor, seed: int
) -> None:
    batch = engine.package.batch
    eager, unrounded = _Player(model, batch, seed), _Player(original, batch, seed)
    runner = engine.runner()
    for action in actions:
        eager.copy_state_to(runner)
        for name, buffer in eager.loop.state().items():
            unrounded.loop.get_buffer(name).copy_(buffer)
        (latent,) = runner.program("sim/step_shift")(action.numpy())
        result.steps.append(_relative_rms(latent, eager.loop.step_shift(action).numpy()))
        result.steps_original.append(_relative_rms(latent, unrounded.loop.step_shift(action).numpy()))


def _compare_rollout(result: Comparison, engine: yanrt.Engine, model: SimModel, actions: Tensor, seed: int) -> None:
    eager = _Player(model, engine.package.batch, seed)
    runner = engine.runner()
    eager.copy_state_to(runner)
    for index, action in enumerate(actions):
        truth = model.vae.decode_latent(eager.loop.step_shift(action))
        (latent,) = runner.program("sim/step_shift")(action.numpy())
        (frames,) = runner.program("vae/decode")(latent)
        if index >= eager.loop.shift_delay:
            result.rollout_psnr.append(_psnr(frames, truth.numpy()))
