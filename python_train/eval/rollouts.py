"""PSNR and SSIM of rollouts, so many latents ahead, over held-out starts and noise seeds.

Frames are compared with the recorded ones. What the VAE makes of those is the upper bound; the fair baseline repeats
the last latent, equally blurred. Each rollout is also made with wrong actions: what is as good with those follows none.

Legend: S noise seeds, N starts, K horizons, h w C latent.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from .intervals import estimate
from .metrics import psnr, ssim
from .player import Player
from .starts import Starts

HORIZONS = (1, 2, 4, 8, 16, 32, 64)
UPPER, BASELINE = "reconstruction", "repeat last"
WRONG = ", wrong actions"
SEED_STRIDE = 10_000  # the worlds of one noise seed draw from neighbouring seeds


def horizons_up_to(ahead: int) -> tuple[int, ...]:
    return tuple(horizon for horizon in HORIZONS if horizon <= ahead)


def encode_context(player: Player, starts: Starts) -> Tensor:
    """Latents `[N,CONTEXT,h,w,C]`."""
    return encode_all(player, starts.context_frames())


def encode_all(player: Player, frames: Tensor) -> Tensor:
    """uint8 `[...,T,H,W,3]` -> latents `[...,h,w,C]`."""
    latents = player.encode(frames.reshape(-1, *frames.shape[-4:]))
    return latents.reshape(*frames.shape[:-4], *latents.shape[1:])


def decode_all(player: Player, latents: Tensor) -> Tensor:
    """Latents `[...,h,w,C]` -> uint8 `[...,T,H,W,3]`."""
    frames = player.decode(latents.reshape(-1, *latents.shape[-3:]))
    return frames.reshape(*latents.shape[:-3], *frames.shape[1:])


def play_ways(
    player: Player, context: Tensor, actions: dict[str, Tensor], schedules: Sequence[str], seeds: int, seed: int
) -> dict[str, Tensor]:
    """Latents `[S,N,ahead,h,w,C]` of each schedule with each of the `actions`, named schedule + name of the actions."""
    return {
        schedule + name: torch.stack(
            [player.play(context, held, schedule, seed + draw * SEED_STRIDE) for draw in range(seeds)]
        )
        for schedule in schedules
        for name, held in actions.items()
    }


def score(player: Player, starts: Starts, context: Tensor, ways: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Of each way, the baseline and the upper bound: "psnr" and "ssim", `[N,K]`, means over seeds and frames."""
    horizons = horizons_up_to(starts.ahead)
    truth = starts.future_frames(horizons)
    places = [horizon - 1 for horizon in horizons]
    seen = encode_all(player, truth)
    repeated = context[:, -1:].expand(-1, len(places), -1, -1, -1)
    made = {UPPER: seen[None], BASELINE: repeated[None]} | {name: x[:, :, places] for name, x in ways.items()}
    scores = {}
    for name, latents in made.items():
        draws = [decode_all(player, draw) for draw in latents]
        scores[name] = {
            metric.__name__: torch.stack([metric(frames, truth).mean(-1) for frames in draws]).mean(0)
            for metric in (psnr, ssim)
        }
    return scores


def table(scores: dict[str, dict[str, Tensor]], ahead: int, seed: int) -> dict[str, dict[str, dict[int, list[float]]]]:
    """{way: {metric: {horizon: [mean, low, high]}}}; "a - b" rows are paired differences in dB, start by start."""
    rows = dict(scores)
    for way in scores:
        if way + WRONG in scores:
            for other in (BASELINE, way + WRONG):
                rows[f"{way} - {other}"] = {"psnr": scores[way]["psnr"] - scores[other]["psnr"]}
    return {
        name: {
            metric: {
                horizon: estimate(values[:, place], seed).to_list()
                for place, horizon in enumerate(horizons_up_to(ahead))
            }
            for metric, values in metrics.items()
        }
        for name, metrics in rows.items()
    }
