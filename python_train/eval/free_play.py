"""Long plays without a truth: do they collapse into flat pictures, and do they look like the world?

The buttons are those of held-out episodes, one after the other in random order. Nobody looks at the screen, so a play
meets walls more often than the recorded player did; the game itself, played so, says how often.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..common.seeding import numpy_rng
from ..data.clips import ClipConfig, ClipSampler, open_split
from ..data.doom import DoomConfig
from ..data.latents import latent_actions
from ..sim.validate import CONTEXT
from ..vae.base import FRAMES
from .features import Features
from .frechet import frechet_distance, pooled
from .game import game_frames
from .player import Player
from .rollouts import encode_context
from .starts import Starts

BLOCK = 8  # pixels: coarser than what the VAE blurs, finer than doors and columns
FLAT_PERCENTILE = 5
LOOKS = 50  # frames of each play that are looked at


def structure(frames_u8: Tensor) -> np.ndarray:
    """Standard deviation of the brightness over blocks of 8x8 pixels, `[N]`: low where there is nothing but a wall."""
    grey = frames_u8.float().mean(-1)[:, None]
    return torch.nn.functional.avg_pool2d(grey, BLOCK).flatten(1).std(1).numpy()


def play_actions(root: Path, split: str, plays: int, latents: int, seed: int) -> Tensor:
    """Actions `[plays,latents,T,A]`."""
    episodes = [latent_actions(episode.buttons) for episode in open_split(root, split).values()]
    scripts = []
    for play in range(plays):
        rng, parts, length = numpy_rng(seed, play), [], 0
        while length < latents:
            parts.append(episodes[int(rng.integers(len(episodes)))])
            length += len(parts[-1])
        scripts.append(np.concatenate(parts)[:latents])
    return torch.from_numpy(np.stack(scripts)).float()


def real_pairs(root: Path, split: str, count: int, seed: int) -> Tensor:
    """Recorded frames drawn evenly from a split, uint8 `[count,T,H,W,3]`."""
    sampler = ClipSampler(ClipConfig(root=str(root), near_weight=1.0), split, FRAMES, seed)
    return torch.from_numpy(sampler.frames(sampler.places(0, count)))


def game_of(root: Path, split: str) -> DoomConfig | None:
    """The game that a split was recorded in, if its episodes name one."""
    recorded = next(iter(open_split(root, split).values())).info.get("game")
    return DoomConfig(**recorded) if recorded else None


def free_plays(
    player: Player, starts: Starts, root: Path, split: str, latents: int, schedule: str, seed: int
) -> tuple[dict[str, Any], Tensor]:
    """Plays `latents` on from each start. Reports shares of flat frames and Fréchet distances to recorded ones, beside
    those of the game under the same buttons if the data set names it.

    The frames looked at are returned too, uint8 `[N,LOOKS,H,W,3]`.
    """
    scripts = play_actions(root, split, len(starts), latents, seed)
    actions = torch.cat([starts.actions[:, :CONTEXT], scripts], 1)
    made = player.play(encode_context(player, starts), actions, schedule, seed)
    looks = np.linspace(0, latents - 1, min(LOOKS, latents)).round().astype(int)
    frames = player.decode(made[:, looks].flatten(0, 1))[:, 0]

    pairs, others = (real_pairs(root, split, len(frames), stream) for stream in (seed, seed + 1))
    real, rebuilt = pairs[:, 0], player.decode(player.encode(pairs))[:, 0]
    threshold = float(np.percentile(structure(real), FLAT_PERCENTILE))
    flat = (structure(frames) < threshold).reshape(len(starts), len(looks))
    features = Features()
    a, b, c, d = (pooled(features.maps(x)) for x in (real, others[:, 0], rebuilt, frames))
    report: dict[str, Any] = {
        "plays": len(starts),
        "latents": latents,
        "frames_looked_at": len(frames),
        "flat_below": round(threshold, 3),
        "flat_share": round(float(flat.mean()), 4),
        "flat_share_by_tenth": [round(float(part.mean()), 4) for part in np.array_split(flat, 10, axis=1)],
        "flat_share_recorded": round(float((structure(real) < threshold).mean()), 4),
        "flat_share_reconstruction": round(float((structure(rebuilt) < threshold).mean()), 4),
        "frechet": {
            "other recorded frames": round(frechet_distance(a, b), 2),
            "reconstruction": round(frechet_distance(a, c), 2),
            "play": round(frechet_distance(a, d), 2),
            "play against reconstruction": round(frechet_distance(c, d), 2),
        },
    }
    if game := game_of(root, split):
        shown = game_frames(game, scripts, looks, seed).flatten(0, 1)
        report["flat_share_game"] = round(float((structure(shown) < threshold).mean()), 4)
        report["frechet"]["game"] = round(frechet_distance(a, pooled(features.maps(shown))), 2)
    return report, frames.unflatten(0, flat.shape)
