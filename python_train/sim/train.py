"""Training of the denoiser on encoded clips.

Legend: B clips, F latents a clip, h w C latent, T actions a latent, A buttons.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..common import dist
from ..common.checkpoint import load_model, model_file, save_model
from ..common.loop import LoopConfig
from ..common.precision import autocast
from ..common.provenance import commit, sha256
from ..common.seeding import torch_rng
from ..config import register
from ..data.clips import ClipConfig
from ..data.latents import LatentSampler, LatentSet
from ..data.mixture import Mixture, SecondSet
from ..vae import VAE
from .grow import BIAS, grown
from .model import Denoiser
from .noise import NoiseConfig, sample_levels
from .own_past import OwnPast, OwnPastConfig
from .samples import sample_sheet
from .start import choose_starts
from .validate import CONTEXT, ValidationClips
from .world import SimConfig, SimModel

# Random streams of a run's seed.
CLIPS, NOISE, INIT, SECOND = range(4)


@register
@dataclass(frozen=True)
class SimTrainConfig:
    """A denoiser run. Clips have `frames` latents, and `long_frames` from the fraction `long_from` of the run on, with
    the batch reduced in proportion: short clips teach most of it at less cost a step. Training starts from the denoiser
    in the checkpoint `start_from` (a simulator's or a resume point's) if one is named; it may know fewer distances or
    channels (sim/grow.py). Without `learn_bias` the biases by distance stay as they are, and a fused attention takes
    them as a mask: long clips cost half."""

    model: SimConfig
    loop: LoopConfig
    clips: ClipConfig
    vae: str
    latents: str
    start_from: str = ""
    learn_bias: bool = True
    noise: NoiseConfig = field(default_factory=NoiseConfig)
    own_past: OwnPastConfig = field(default_factory=OwnPastConfig)
    second: SecondSet = field(default_factory=SecondSet)
    frames: int = 8
    long_frames: int = 16
    long_from: float = 0.8
    val_clips: int = 48
    sheet_latents: int = 12


class SimTask:
    """The denoiser as a task of common.loop; the VAE in the checkpoint is the one that encoded the latents."""

    def __init__(self, config: SimTrainConfig, world: dist.World) -> None:
        self.config, self.world, self.device = config, world, dist.device()
        torch.manual_seed(config.loop.seed + INIT)
        self.sim: SimModel = config.model.build().to(self.device)
        self.model = self.sim.denoiser
        self._load_vae()
        if config.start_from:
            self._start_from(config.start_from)
        for name, weight in self.model.named_parameters():
            if name.endswith(BIAS):
                weight.requires_grad_(config.learn_bias)
        train, val = (LatentSet(Path(config.latents) / f"{split}.safetensors") for split in ("train", "val"))
        self.info = train.info
        lengths = {config.frames, config.long_frames} | ({config.own_past.frames} if config.own_past.share else set())
        second = LatentSet(Path(config.second.latents) / "train.safetensors") if config.second.share else None
        self.origin = self._origin(train, second)
        self.clips = {length: self._mixture(train, second, length) for length in lengths}
        self.own_past = OwnPast(self.model, config.model)
        latents, actions = choose_starts(val, config.model.start_clips, config.model.start_latents)
        self.sim.start.latents.copy_(latents)
        self.sim.start.actions.copy_(actions)
        self.val = ValidationClips(val, config.model, config.val_clips, config.loop.seed, self.device)

    def _mixture(self, first: LatentSet, second: LatentSet | None, length: int) -> Mixture:
        config, seed = self.config, self.config.loop.seed
        other = LatentSampler(second, config.second.clips, length, seed, SECOND) if second else None
        return Mixture(LatentSampler(first, config.clips, length, seed), other, config.second.share)

    def _origin(self, first: LatentSet, second: LatentSet | None) -> dict[str, Any]:
        """What the weights come from. Files are read once: they may be replaced while the run goes on."""
        config, share = self.config, self.config.second.share
        sets = [(first, config.clips, 1 - share)] + ([(second, config.second.clips, share)] if second else [])
        return {
            "vae_sha256": sha256(model_file(config.vae)),
            "started_from_sha256": sha256(model_file(config.start_from)) if config.start_from else "",
            "data": [{**data.size(), "share": part, "curated": bool(clips.curation)} for data, clips, part in sets],
        }

    def _load_vae(self) -> None:
        vae, vae_config, _ = load_model(self.config.vae)
        if vae_config != self.config.model.vae or not isinstance(vae, VAE):
            raise ValueError(f"{self.config.vae} holds {vae_config}, the run expects {self.config.model.vae}")
        self.sim.vae.load_state_dict(vae.state_dict())
        self.sim.vae.requires_grad_(False).eval()

    def _start_from(self, path: str) -> None:
        loaded, _, _ = load_model(path)
        denoiser = loaded.denoiser if isinstance(loaded, SimModel) else loaded
        own = self.config.model.denoiser
        if not isinstance(denoiser, Denoiser):
            raise ValueError(f"{path} holds a {type(denoiser).__name__}, the run expects {own}")
        self.model.load_state_dict(grown(denoiser, own))

    def batch(self, step: int) -> tuple[Tensor, ...]:
        """Latents `[B,F,h,w,C]`, actions `[B,F,T,A]`, noise levels `[B,F]` and noise `[B,F,h,w,C]` of this process;
        where the past is to be the denoiser's own, also the group of steps i64 `[]`."""
        config, seed = self.config, self.config.loop.seed
        group = config.own_past.group(step, config.loop.steps)
        frames = self._frames(step, group)
        size = max(self.world.size, config.loop.batch * config.frames // frames)
        share = self.world.shard(size)
        latents, actions = self.clips[frames].draw(step if group is None else group, size, share)
        rng = torch_rng(seed, NOISE, step)
        patterns, first = (config.noise, 1) if group is None else (replace(config.noise, shift=1.0), CONTEXT)
        levels = sample_levels(size, frames, config.model.levels, patterns, rng, first, config.model.evaluations)
        noise = torch.randn((size, *latents.shape[1:]), generator=rng)[share]
        parts = [latents, actions, levels[share], noise] + ([] if group is None else [torch.tensor(group)])
        return tuple(tensor.to(self.device) for tensor in parts)

    def _frames(self, step: int, group: int | None) -> int:
        config = self.config
        if group is not None:
            return config.own_past.frames
        return config.long_frames if step >= config.long_from * config.loop.steps else config.frames

    def loss(self, model: nn.Module, batch: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, Tensor]]:
        latents, actions, levels, noise, *group = batch
        diffusion = self.config.model.denoiser.diffusion
        noisy = diffusion.add_noise(latents, noise, levels[..., None, None, None])
        if group:
            past = self.own_past.of(int(group[0]), latents, actions)
            noisy = torch.where((levels == 0)[..., None, None, None], past, noisy)
        with autocast(self.device):
            x0 = model(noisy, levels, actions)
        error_BF = (x0.float() - latents).square().mean((2, 3, 4))
        # A clean frame has nothing to predict; averaging over all frames keeps the loss the same in any shares.
        loss = (error_BF * diffusion.loss_weight(levels) * (levels > 0)).mean()
        pure = levels == 1
        error = (error_BF * pure).sum() / pure.sum().clamp(min=1)
        return loss, {"error_pure_noise": error.detach()}

    def validate(self) -> dict[str, float]:
        return self.val.measure(self.model)

    def sheet(self) -> np.ndarray:
        return sample_sheet(self.sim, self.val, self.config.sheet_latents)

    def save(self, folder: Path, step: int, curve: list[dict[str, float]]) -> None:
        save_model(folder / "model.safetensors", self.sim, self.config.model, self._metadata(step, curve))

    def _metadata(self, step: int, curve: list[dict[str, float]]) -> dict[str, Any]:
        model = self.config.model
        return {
            "kind": "sim",
            "step": step,
            "seed": self.config.loop.seed,
            "commit": commit(),
            "schema": self.info["schema"],
            "fps": self.info["fps"],
            "height": model.vae.height,
            "width": model.vae.width,
            "grades": list(model.grades),
            "evaluations": model.evaluations,
            "history": model.history,
            **self.origin,
            "hours": round(curve[-1]["seconds"] / 3600, 3) if curve else 0.0,
            "curve": curve,
        }
