"""The picture drawn while a simulator trains: rollouts beside the truth, and one start under different actions."""

import numpy as np
import torch
from torch import Tensor

from ..eval.sheets import sheet
from .rollout import rollout
from .validate import CONTEXT, ValidationClips
from .world import SimModel

CLIPS = 3


def first_frames(sim: SimModel, latents_NhwC: Tensor) -> Tensor:
    """First frame of each latent, uint8 `[N,H,W,3]`."""
    return sim.vae.decode_latent(latents_NhwC)[:, 0]


@torch.no_grad()
def sample_sheet(sim: SimModel, val: ValidationClips, latents: int) -> np.ndarray:
    """Rows: for three clips the truth (decoded latents) and the rollout; then one start held at each button in turn.

    Each row begins with the last context latent; then every second latent follows.
    """
    config = sim.config
    picks = torch.linspace(0, len(val.latents) - 1, CLIPS).long()
    length = CONTEXT + latents
    context, truth = val.latents[picks, :CONTEXT], val.latents[picks, CONTEXT:length]
    made = rollout(sim.denoiser, config, context, val.actions[picks, :length], "shift")
    last = context[:, -1:]
    rows = []
    for clip in range(CLIPS):
        for latent_row in (truth[clip], made[clip]):
            rows.append(first_frames(sim, torch.cat([last[clip], latent_row])[::2]))
    buttons = config.denoiser.buttons
    held = val.actions[picks[:1], :length].repeat(buttons, 1, 1, 1)
    for button in range(buttons):
        held[button, CONTEXT:] = 0
        held[button, CONTEXT:, :, button] = 1
    start = context[:1].expand(buttons, -1, -1, -1, -1)
    made = rollout(sim.denoiser, config, start, held, "shift")
    rows += [first_frames(sim, torch.cat([last[0], row])[::2]) for row in made]
    return sheet(rows)
