"""Yan-Sim: a simulator checkpoint -> a package with its frame loop, in the schedules "shift", "sequential" and, to show
what the KV cache gives, "recompute". They share their weights: another schedule costs its programs' text.
"""

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from python_train.common.checkpoint import load_model
from python_train.sim.frame_loop import Append, FrameLoop, StepSequential, StepShift
from python_train.sim.recompute import AppendRecompute, Past, StepRecompute
from python_train.sim.world import SimModel

from ..api import write
from ..compare import held_actions
from ..ir import Module
from ..ir.serialize import plain
from ..lower import ProgramSpec, lower
from ..quant import Calibration, Storage, watched

PREFIX = "loop."  # the programs hold the loop; names in the package are those of the checkpoint


class Decode(nn.Module):
    def __init__(self, vae: nn.Module) -> None:
        super().__init__()
        self.vae = vae

    def forward(self, latent: Tensor) -> Tensor:
        frames: Tensor = self.vae.decode_latent(latent)  # type: ignore[operator]
        return frames


class Encode(nn.Module):
    def __init__(self, vae: nn.Module) -> None:
        super().__init__()
        self.vae = vae

    def forward(self, frames: Tensor) -> Tensor:
        latent: Tensor = self.vae.encode_frames(frames)  # type: ignore[operator]
        return latent


def specs(model: SimModel, batch: int) -> dict[str, ProgramSpec]:
    """The programs, over one frame loop and one VAE."""
    d, vae = model.config.denoiser, model.vae
    loop = FrameLoop(model.denoiser, model.config, batch).eval()
    past = Past(loop)
    action = torch.zeros(batch, d.actions_per_latent, d.buttons)
    latent = torch.zeros(batch, d.rows, d.columns, d.channels)
    frames = torch.zeros(batch, d.actions_per_latent, vae.height, vae.width, 3, dtype=torch.uint8)
    return {
        "sim/step_shift": ProgramSpec(StepShift(loop), (action,), ("latent",)),
        "sim/step_sequential": ProgramSpec(StepSequential(loop), (action,), ("latent",)),
        "sim/step_recompute": ProgramSpec(StepRecompute(loop, past), (action,), ("latent",)),
        "sim/append": ProgramSpec(Append(loop), (latent, action)),
        "sim/append_recompute": ProgramSpec(AppendRecompute(loop, past), (latent, action)),
        "vae/decode": ProgramSpec(Decode(vae), (latent,), ("frames",)),
        "vae/encode": ProgramSpec(Encode(vae), (frames,), ("latent",)),
    }


def _phase(name: str, program: str, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> dict[str, Any]:
    """A phase whose slots are named as the program's ports."""
    return {"name": name, "program": program, "in": {n: n for n in inputs}, "out": {n: n for n in outputs}}


def _schedule(step: str, delay: int, append: str = "sim/append") -> dict[str, Any]:
    return {
        "delay": delay,
        "on_step": [
            _phase("denoise", step, ("action",), ("latent",)),
            _phase("decode", "vae/decode", ("latent",), ("frames",)),
        ],
        "on_append": [_phase("append", append, ("latent", "action"), ())],
        "on_encode": [_phase("encode", "vae/encode", ("frames",), ("latent",))],
    }


def lower_sim(model: SimModel, batch: int) -> Module:
    with torch.no_grad():
        return lower(specs(model, batch), rename=lambda name: name.removeprefix(PREFIX), seeds=("seed",))


def calibrate_sim(model: SimModel, steps: int, seed: int = 0) -> Calibration:
    """What the layers see while every start clip is played on for `steps` latents, with buttons held at random. The
    frames are decoded, and encoded again."""
    start, d = model.start, model.config.denoiser
    clips = len(start.latents)
    loop = FrameLoop(model.denoiser, model.config, clips).eval()
    loop.reset(seed + torch.arange(clips))
    actions = held_actions(steps, (clips, d.actions_per_latent, d.buttons), seed)
    with watched(model) as seen:
        for latent, action in zip(start.latents.unbind(1), start.actions.unbind(1), strict=True):
            loop.append(latent, action)
        for index, action in enumerate(actions):
            made = loop.step_shift(action)
            if index >= loop.shift_delay:
                model.vae.encode_frames(model.vae.decode_latent(made))
    return seen


def export_sim(
    checkpoint: str | os.PathLike[str],
    path: str | os.PathLike[str],
    weights: str = "fp8",
    batch: int = 1,
    dumps: Path | None = None,
    calibration_steps: int = 0,
    activations: str = "dynamic",
) -> None:
    """Writes the package of a simulator checkpoint (a run's folder or its model file), named as the file; its scales
    are calibrated over `calibration_steps` latents of play, if there are any.

    TypeError for another kind of checkpoint.
    """
    model, _, metadata = load_model(Path(checkpoint))
    if not isinstance(model, SimModel):
        raise TypeError(f"{checkpoint} holds a {type(model).__name__}; `exporters sim` needs a simulator checkpoint")
    calibration = calibrate_sim(model, calibration_steps) if calibration_steps else None
    write_sim(model, metadata, path, Storage(weights, (), calibration, activations), batch, dumps)


def write_sim(
    model: SimModel,
    metadata: dict[str, Any],
    path: str | os.PathLike[str],
    storage: Storage,
    batch: int = 1,
    dumps: Path | None = None,
) -> None:
    """`metadata` holds at least `fps` and the action `schema`; the rest becomes the package's provenance."""
    start = {
        "start.latents": plain(model.start.latents.float().numpy()),
        "start.actions": plain(model.start.actions.float().numpy()),
    }
    write(path, lower_sim(model, batch), _manifest(model, metadata, Path(path).stem, batch), storage, start, dumps)


def _manifest(model: SimModel, metadata: dict[str, Any], name: str, batch: int) -> dict[str, Any]:
    factor = model.config.denoiser.actions_per_latent
    return {
        "name": name,
        "fps": float(metadata["fps"]),
        "frame": {"height": model.vae.height, "width": model.vae.width, "temporal_factor": factor},
        "batch": batch,
        "actions": metadata["schema"],
        "schedules": {
            "shift": _schedule("sim/step_shift", len(model.config.grades) - 2),
            "sequential": _schedule("sim/step_sequential", 0),
            "recompute": _schedule("sim/step_recompute", len(model.config.grades) - 2, "sim/append_recompute"),
        },
        "start": {"latents": "start.latents", "actions": "start.actions"},
        "provenance": {key: value for key, value in metadata.items() if key not in ("schema", "fps")},
    }
