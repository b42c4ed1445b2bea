"""Yan-Sim: a simulator checkpoint -> a package with its frame loop, in the schedules "shift" and "sequential"."""

import os
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from python_train.common.checkpoint import load_model
from python_train.sim.frame_loop import Append, FrameLoop, StepSequential, StepShift
from python_train.sim.world import SimModel

from ..build import compile_module
from ..ir import Module, PackageInfo, Phase, Schedule, write_package
from ..ir import Tensor as StoredTensor
from ..lower import ProgramSpec, lower

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
    """The five programs, over one frame loop and one VAE."""
    d, vae = model.config.denoiser, model.vae
    loop = FrameLoop(model.denoiser, model.config, batch).eval()
    action = torch.zeros(batch, d.actions_per_latent, d.buttons)
    latent = torch.zeros(batch, d.rows, d.columns, d.channels)
    frames = torch.zeros(batch, d.actions_per_latent, vae.height, vae.width, 3, dtype=torch.uint8)
    return {
        "sim/step_shift": ProgramSpec(StepShift(loop), (action,), ("latent",)),
        "sim/step_sequential": ProgramSpec(StepSequential(loop), (action,), ("latent",)),
        "sim/append": ProgramSpec(Append(loop), (latent, action)),
        "vae/decode": ProgramSpec(Decode(vae), (latent,), ("frames",)),
        "vae/encode": ProgramSpec(Encode(vae), (frames,), ("latent",)),
    }


def schedules(delay: int) -> dict[str, Schedule]:
    decode = Phase("decode", "vae/decode", {"latent": "latent"}, {"frames": "frames"})
    append = Phase("append", "sim/append", {"latent": "latent", "action": "action"})
    encode = Phase("encode", "vae/encode", {"frames": "frames"}, {"latent": "latent"})

    def schedule(program: str, calls: int) -> Schedule:
        denoise = Phase("denoise", program, {"action": "action"}, {"latent": "latent"})
        return Schedule(calls, (denoise, decode), (append,), (encode,))

    return {"shift": schedule("sim/step_shift", delay), "sequential": schedule("sim/step_sequential", 0)}


def lower_sim(model: SimModel, batch: int) -> Module:
    with torch.no_grad():
        return lower(specs(model, batch), rename=lambda name: name.removeprefix(PREFIX), seeds=("seed",))


def export_sim(
    checkpoint: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    weights: str = "fp8",
    batch: int = 1,
    name: str = "world",
    dump_dir: str | None = None,
) -> dict[str, str]:
    """Writes the package; returns how each weight is stored ("bf16", "f8e4m3"). ValueError for another kind of checkpoint."""
    loaded, _, metadata = load_model(checkpoint)
    if not isinstance(loaded, SimModel):
        raise ValueError(f"{checkpoint} holds a {type(loaded).__name__}; `exporters sim` needs a simulator checkpoint")
    module = lower_sim(loaded, batch)
    stored = compile_module(module, weights, dump_dir)
    start = {}
    for part in ("latents", "actions"):
        tensor: Tensor = getattr(loaded.start, part)
        module.tensors[f"start.{part}"] = StoredTensor(np.ascontiguousarray(tensor.float().numpy()))
        start[part] = f"start.{part}"
    write_package(module, _info(loaded, metadata, batch, name, weights, start), path)
    return stored


def _info(
    model: SimModel, metadata: dict[str, Any], batch: int, name: str, weights: str, start: dict[str, str]
) -> PackageInfo:
    config = model.config
    return PackageInfo(
        name=name,
        fps=float(metadata["fps"]),
        height=model.vae.height,
        width=model.vae.width,
        temporal_factor=config.denoiser.actions_per_latent,
        batch=batch,
        buttons=tuple((button["name"], button["key"]) for button in metadata["schema"]["buttons"]),
        schedules=schedules(len(config.grades) - 2),
        start=start,
        provenance={key: value for key, value in metadata.items() if key != "schema"} | {"weights": weights},
    )
