"""How well a simulator plays on from held-out clips.

Frames are compared with those of the true latents, decoded by the same VAE. Every rollout is also made with the actions
of another clip: what is as good with those does not come from following actions.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..data.latents import LatentSet
from ..sim.rollout import SCHEDULES, rollout
from ..sim.validate import AHEAD, CONTEXT, ValidationClips
from ..sim.world import SimModel
from .metrics import psnr

HORIZONS = (1, 2, 4, 8, 16)


@torch.no_grad()
def evaluate_sim(sim: SimModel, latents: Path, split: str, clips: int, seed: int = 0) -> dict[str, Any]:
    """`one_step`: errors of x0 (ValidationClips.measure). `psnr`: dB of each way to go on, HORIZONS latents ahead."""
    data = LatentSet(latents / f"{split}.safetensors")
    held_out = ValidationClips(data, sim.config, clips, seed, torch.device("cpu"))
    context, truth, actions = held_out.latents[:, :CONTEXT], held_out.latents[:, CONTEXT:], held_out.actions
    wrong = actions.clone()
    wrong[:, CONTEXT:] = actions.roll(1, 0)[:, CONTEXT:]
    ways = {"repeat last": context[:, -1:].expand(-1, AHEAD, -1, -1, -1)}
    for schedule in SCHEDULES:
        ways[schedule] = rollout(sim.denoiser, sim.config, context, actions, schedule, seed)
        ways[f"{schedule}, wrong actions"] = rollout(sim.denoiser, sim.config, context, wrong, schedule, seed)

    def frames(latents_BNhwC: Tensor, horizon: int) -> Tensor:
        return sim.vae.decode_latent(latents_BNhwC[:, horizon - 1])

    return {
        "one_step": held_out.measure(sim.denoiser),
        "psnr": {
            name: {horizon: float(psnr(frames(made, horizon), frames(truth, horizon)).mean()) for horizon in HORIZONS}
            for name, made in ways.items()
        },
    }
