"""How well a VAE keeps held-out frames, beside a baseline with as many values as its latent."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ..common.precision import autocast
from ..data.clips import ClipConfig, ClipSampler
from ..vae import VAE
from ..vae.base import FRAMES
from .metrics import psnr, sharpness, ssim


def thumbnail(frames: Tensor, values: int) -> Tensor:
    """The baseline: frames uint8 `[N,H,W,3]` reduced to at most `values` numbers each and enlarged again (bicubic)."""
    height, width = frames.shape[1:3]
    rows = int((values / 3 * height / width) ** 0.5)
    x = frames.permute(0, 3, 1, 2).float()
    small = F.interpolate(x, size=(rows, values // 3 // rows), mode="area")
    large = F.interpolate(small, size=(height, width), mode="bicubic")
    return large.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


@torch.no_grad()
def evaluate_vae(vae: VAE, root: Path, split: str, clips: int, seed: int = 0) -> dict[str, dict[str, float]]:
    """PSNR (mean over frames), SSIM and sharpness of "vae" and "thumbnail" on clips drawn evenly from a split."""
    sampler = ClipSampler(ClipConfig(root=str(root), near_weight=1.0), split, FRAMES, seed)
    truth = torch.from_numpy(sampler.frames(sampler.places(0, clips)))
    with autocast(torch.device("cpu")):
        decoded = torch.cat([vae.decode_latent(vae.encode_frames(part)) for part in truth.split(16)])
    truth, decoded = truth.flatten(0, 1), decoded.flatten(0, 1)
    values = vae.rows * vae.columns * vae.channels // FRAMES
    return {
        name: {
            "psnr": float(psnr(frames, truth).mean()),
            "ssim": float(ssim(frames, truth)),
            "sharpness": float(sharpness(frames, truth)),
        }
        for name, frames in (("vae", decoded), ("thumbnail", thumbnail(truth, values)))
    }
