"""How well a VAE keeps held-out frames, beside a baseline with as many values as its latent."""

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..common.precision import autocast
from ..data.clips import ClipConfig, ClipSampler
from ..vae import VAE
from ..vae.base import FRAMES
from .features import Features
from .frechet import frechet_distance, pooled
from .intervals import estimate
from .metrics import psnr, sharpness, ssim
from .sheets import sheet

SHEET_CLIPS, SHEET_COLUMNS = 24, 6


def thumbnail(frames: Tensor, values: int) -> Tensor:
    """The baseline: frames uint8 `[N,H,W,3]` reduced to at most `values` numbers each and enlarged again (bicubic)."""
    height, width = frames.shape[1:3]
    rows = int((values / 3 * height / width) ** 0.5)
    x = frames.permute(0, 3, 1, 2).float()
    small = F.interpolate(x, size=(rows, values // 3 // rows), mode="area")
    large = F.interpolate(small, size=(height, width), mode="bicubic")
    return large.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


@torch.no_grad()
def evaluate_vae(vae: VAE, root: Path, split: str, clips: int, seed: int = 0) -> tuple[dict[str, Any], Tensor]:
    """PSNR and SSIM ([mean, low, high] over clips), sharpness and Fréchet distance to the recorded frames, of "vae" and
    "thumbnail", on clips drawn evenly from a split; and frames `[2,clips,H,W,3]`, recorded and decoded, to look at."""
    sampler = ClipSampler(ClipConfig(root=str(root), near_weight=1.0), split, FRAMES, seed)
    truth = torch.from_numpy(sampler.frames(sampler.places(0, clips)))
    with autocast(torch.device("cpu")):
        decoded = torch.cat([vae.decode_latent(vae.encode_frames(part)) for part in truth.split(16)])
    values = vae.rows * vae.columns * vae.channels // FRAMES
    small = thumbnail(truth.flatten(0, 1), values).unflatten(0, truth.shape[:2])
    features = Features()
    real = pooled(features.maps(truth[:, 0]))
    return {
        name: {
            "psnr": estimate(psnr(frames, truth).mean(1), seed).to_list(),
            "ssim": estimate(ssim(frames, truth).mean(1), seed).to_list(),
            "sharpness": float(sharpness(frames, truth)),
            "frechet": frechet_distance(real, pooled(features.maps(frames[:, 0]))),
        }
        for name, frames in (("vae", decoded), ("thumbnail", small))
    }, torch.stack([truth[:, 0], decoded[:, 0]])


def vae_sheet(frames_2NHW3: Tensor) -> Any:
    """Rows of recorded frames, each above what became of them."""
    shown = frames_2NHW3[:, :SHEET_CLIPS]
    return sheet([part[k : k + SHEET_COLUMNS] for k in range(0, shown.shape[1], SHEET_COLUMNS) for part in shown])
