"""Playing a simulator on through its frame loop, for sample sheets and measures: what a package plays, in PyTorch."""

import torch
from torch import Tensor

from ..common.precision import autocast
from .frame_loop import FrameLoop
from .model import Denoiser
from .world import SimConfig

SCHEDULES = ("shift", "sequential")


@torch.no_grad()
def rollout(
    denoiser: Denoiser, config: SimConfig, context_BNhwC: Tensor, actions_BMTA: Tensor, schedule: str, seed: int = 0
) -> Tensor:
    """New latents `[B,M-N,h,w,C]` after a clean context of N latents; `actions` begins with the context's N.

    World b draws its noise from `seed + b`. ValueError for an unknown schedule. With "shift", the first calls give
    nothing (FrameLoop.shift_delay); they are made with the first actions and the rollout is read that many calls later,
    so that latent i always belongs to action i.
    """
    if schedule not in SCHEDULES:
        raise ValueError(f"unknown schedule {schedule!r}; there are {', '.join(SCHEDULES)}")
    batch, context = context_BNhwC.shape[:2]
    loop = FrameLoop(denoiser, config, batch).to(context_BNhwC.device)
    loop.reset(seed + torch.arange(batch, device=context_BNhwC.device))
    made = []
    with autocast(context_BNhwC.device):
        for index in range(context):
            loop.append(context_BNhwC[:, index], actions_BMTA[:, index])
        future = actions_BMTA[:, context:]
        if schedule == "sequential":
            made = [loop.step_sequential(action) for action in future.unbind(1)]
        else:
            # What is in flight at the end never becomes clean: idle calls push it out.
            idle = torch.zeros_like(future[:, :1]).expand(-1, loop.shift_delay, -1, -1)
            made = [loop.step_shift(action) for action in torch.cat([future, idle], 1).unbind(1)][loop.shift_delay :]
    return torch.stack(made, 1)
