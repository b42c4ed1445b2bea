"""The return test: a full circle in place must end where it began.

Play begins where the recorded player stood still in the open and turns, left and right in turn, for as many frames as a
circle has. Standing still would pass as well, so the view half-way round is compared too: it has to be as far from the
start as another place's view.
"""

from typing import Any

import torch
from torch import Tensor

from ..data.doom import DOOM_SCHEMA
from ..data.policies import FULL_CIRCLE
from ..sim.validate import CONTEXT
from ..vae.base import FRAMES
from .intervals import estimate
from .metrics import psnr
from .player import Player
from .rollouts import decode_all, encode_context
from .starts import Starts

TURN = FULL_CIRCLE // FRAMES  # latents
SHOWN = (TURN // 6, TURN // 3, TURN // 2, 2 * TURN // 3, TURN)


def circle_actions(starts: Starts) -> Tensor:
    """The contexts' actions `[N,CONTEXT,T,A]`, then TURN latents of turning."""
    turns = torch.zeros(len(starts), TURN, *starts.actions.shape[2:])
    for start in range(len(starts)):
        turns[start, :, :, DOOM_SCHEMA.names.index("TURN_LEFT" if start % 2 else "TURN_RIGHT")] = 1
    return torch.cat([starts.actions[:, :CONTEXT], turns], 1)


def return_test(player: Player, starts: Starts, schedule: str, seed: int) -> tuple[dict[str, Any], Tensor]:
    """PSNR in dB ([mean, low, high]) against the reconstruction of the context's last frame, which the circle's last
    one shows again; and what is seen on the way, frames uint8 `[N,1+len(SHOWN),H,W,3]`, the start first."""
    context = encode_context(player, starts)
    latents = player.play(context, circle_actions(starts), schedule, seed)
    begun = decode_all(player, context[:, -1])[:, -1]
    seen = decode_all(player, latents[:, [place - 1 for place in SHOWN]])[:, :, -1]
    report = {
        "starts": len(starts),
        "after_the_circle": estimate(psnr(seen[:, -1], begun)).to_list(),
        "half_way": estimate(psnr(seen[:, SHOWN.index(TURN // 2)], begun)).to_list(),
        "another_start": estimate(psnr(begun.roll(1, 0), begun)).to_list(),
    }
    return report, torch.cat([begun[:, None], seen], 1)
