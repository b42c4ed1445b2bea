"""The game itself under the buttons of free plays: what a perfect world would show of them.

Legend: P plays, M latents, T frames a latent, A buttons, L frames looked at.
"""

import numpy as np
import torch
from torch import Tensor

from ..common.seeding import numpy_rng
from ..data.doom import DoomConfig, DoomGame, Observation

SPAWN = 2  # random stream


def game_frames(config: DoomConfig, actions_PMTA: Tensor, looks: np.ndarray, seed: int) -> Tensor:
    """First frames of the latents `looks`, uint8 `[P,L,H,W,3]`. Plays begin where the game puts the player; so they go
    on when an episode ends."""
    game = DoomGame(config)
    try:
        rngs = (numpy_rng(seed, SPAWN, play) for play in range(len(actions_PMTA)))
        return torch.stack([_play(game, script, looks, rng) for script, rng in zip(actions_PMTA, rngs, strict=True)])
    finally:
        game.close()


def _play(game: DoomGame, actions_MTA: Tensor, looks: np.ndarray, rng: np.random.Generator) -> Tensor:
    wanted = {int(look) for look in looks}
    seen: list[np.ndarray] = []
    _start(game, rng)
    for latent, buttons_TA in enumerate(actions_MTA.numpy().astype(np.uint8)):
        first, *_ = [game.step(buttons) or _start(game, rng) for buttons in buttons_TA]
        if latent in wanted:
            seen.append(first.rgb)
    return torch.from_numpy(np.stack(seen))


def _start(game: DoomGame, rng: np.random.Generator) -> Observation:
    return game.reset(int(rng.integers(2**31)))
