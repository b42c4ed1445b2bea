"""Training of a VAE on pairs of consecutive frames."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..common import dist
from ..common.checkpoint import load_model, save_model
from ..common.loop import LoopConfig
from ..common.precision import autocast
from ..common.seeding import torch_rng
from ..config import register
from ..data.clips import ClipConfig, ClipSampler
from ..eval.metrics import psnr, sharpness, ssim
from ..eval.sheets import sheet
from .base import FRAMES, VAE, to_pixels
from .conv import ConvVAEConfig
from .detail import fit_detail, grow
from .hybrid import HybridVAE, HybridVAEConfig
from .sharpen import SharpenConfig, Sharpener

# Random streams of a run's seed.
CLIPS, NOISE, INIT, CROP = range(4)


@register
@dataclass(frozen=True)
class VAETrainConfig:
    """A VAE training run. Loss: L1 + `mse_weight` MSE + `kl_weight` KL, each a mean over its elements.

    Training starts from the VAE checkpoint `start_from` if one is named. Detail channels that it lacks are fitted to
    `detail_clips` clips first, as in a fresh VAE. With `decoder_only` the run keeps encoder and latents: a decoder may
    be refined while, or after, a denoiser is trained on those latents. `sharpen` asks it for texture, too.
    """

    model: HybridVAEConfig | ConvVAEConfig
    loop: LoopConfig
    clips: ClipConfig
    mse_weight: float = 1.5
    kl_weight: float = 5e-4
    val_clips: int = 96
    norm_clips: int = 512
    detail_clips: int = 1024
    start_from: str = ""
    decoder_only: bool = False
    sharpen: SharpenConfig | None = None

    def __post_init__(self) -> None:
        if self.decoder_only and not self.start_from:
            raise ValueError("decoder_only needs start_from: the checkpoint of the VAE whose decoder is refined")
        if self.sharpen and not self.decoder_only:
            raise ValueError("sharpen needs decoder_only: latents that chase a critic are no latents for a denoiser")
        if self.sharpen and self.sharpen.crop > min(self.model.height, self.model.width):
            raise ValueError(f"a crop of {self.sharpen.crop} is larger than {self.model.height}x{self.model.width}")


class VAETask:
    """The VAE as a task of common.loop."""

    def __init__(self, config: VAETrainConfig, world: dist.World) -> None:
        self.config, self.world = config, world
        self.device = dist.device()
        torch.manual_seed(config.loop.seed + INIT)
        self.vae: VAE = config.model.build().to(self.device)
        self.sampler = ClipSampler(config.clips, "train", FRAMES, config.loop.seed)
        if config.start_from:
            self._start_from(config.start_from)
        elif isinstance(self.vae, HybridVAE) and self.vae.config.detail:
            self._fit_detail(self.vae)
        self.sharpener = Sharpener(self.vae, config.sharpen).to(self.device) if config.sharpen else None
        self.model: nn.Module = self.sharpener or self.vae
        val = ClipSampler(config.clips, "val", FRAMES, config.loop.seed)
        self.val = torch.from_numpy(val.frames(val.places(0, config.val_clips))).to(self.device)

    def _start_from(self, path: str) -> None:
        vae, vae_config, _ = load_model(path)
        if vae_config == self.config.model:
            self.vae.load_state_dict(vae.state_dict())
        elif (
            isinstance(self.vae, HybridVAE)
            and isinstance(vae, HybridVAE)
            and self.vae.config.adds_detail_to(vae.config)
        ):
            grow(self.vae, vae)
            self._fit_detail(self.vae)
        else:
            raise ValueError(f"{path} holds {vae_config}, the run expects {self.config.model}")
        if self.config.decoder_only:
            for p in self.vae.encoder_parameters():
                p.requires_grad_(False)

    def _fit_detail(self, vae: HybridVAE) -> None:
        fit_detail(vae, self._training_clips(self.config.detail_clips))

    def batch(self, step: int) -> tuple[Tensor, ...]:
        """Clips uint8 `[B,2,H,W,3]` and posterior noise `[B,h,w,C]` of this process; to sharpen, also the corner of the
        crop i64 [2]."""
        size, share = self.config.loop.batch, self.world.shard(self.config.loop.batch)
        clips = torch.from_numpy(self.sampler.frames(self.sampler.places(step, size)[share]))
        shape = (size, self.vae.rows, self.vae.columns, self.vae.channels)
        noise = torch.randn(shape, generator=torch_rng(self.config.loop.seed, NOISE, step))[share]
        return clips.to(self.device), noise.to(self.device), *self._corner(step)

    def _corner(self, step: int) -> tuple[Tensor, ...]:
        if not self.config.sharpen:
            return ()
        free = torch.tensor([self.vae.height, self.vae.width]) - self.config.sharpen.crop + 1
        return ((torch.rand(2, generator=torch_rng(self.config.loop.seed, CROP, step)) * free).long(),)

    def loss(self, model: nn.Module, batch: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, Tensor]]:
        clips, *rest = batch
        x = to_pixels(clips)
        with autocast(self.device):
            y, mean, logvar, *sharpness = model(x, *rest)
        difference = y - x
        l1, mse = difference.abs().mean(), difference.square().mean()
        kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()
        loss = l1 + self.config.mse_weight * mse + self.config.kl_weight * kl
        parts = {"l1": l1, "mse": mse, "kl": kl}
        if self.sharpener:
            parts |= dict(zip(("features", "caught", "wrong"), sharpness, strict=True))
            loss = self.sharpener.total(y, loss, *sharpness)
        return loss, {name: value.detach() for name, value in parts.items()}

    def validate(self) -> dict[str, float]:
        decoded = self._reconstruct(self.val)
        return {
            "psnr": psnr(decoded, self.val).mean().item(),
            "ssim": ssim(decoded, self.val).mean().item(),
            "sharpness": sharpness(decoded, self.val).item(),
        }

    def sheet(self) -> np.ndarray:
        shown = self.val[:24]
        decoded = self._reconstruct(shown)
        rows = [frames[k : k + 6, 0] for k in range(0, len(shown), 6) for frames in (shown, decoded)]
        return sheet(rows)

    def save(self, folder: Path, step: int, curve: list[dict[str, float]]) -> None:
        if not self.config.decoder_only:
            self._measure_latents()
        metadata = {"kind": "vae", "step": step, "seed": self.config.loop.seed, "curve": curve}
        save_model(folder / "model.safetensors", self.vae, self.config.model, metadata)

    def _reconstruct(self, clips: Tensor) -> Tensor:
        with autocast(self.device):
            return torch.cat([self.vae.decode_latent(self.vae.encode_frames(part)) for part in clips.split(16)])

    def _training_clips(self, count: int) -> Tensor:
        """Clips uint8 `[N,2,H,W,3]`, those of a step that training never reaches."""
        places = self.sampler.places(self.config.loop.steps + 1, count)
        return torch.from_numpy(self.sampler.frames(places)).to(self.device)

    def _measure_latents(self) -> None:
        means = []
        for clips in self._training_clips(self.config.norm_clips).split(32):
            with autocast(self.device):
                means.append(self.vae.encode_moments(to_pixels(clips))[..., : self.vae.channels].float())
        self.vae.measure_latents(torch.cat(means))
