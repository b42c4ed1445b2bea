"""64x64 frames and a few steps: every part of training in seconds, for tests, CI and `make train-tiny`."""

from dataclasses import replace

from ..common.loop import LoopConfig
from ..common.optim import OptimConfig
from ..data.clips import ClipConfig
from ..explore.config import ExplorerTrainConfig
from ..prune.run import PruneConfig
from ..sim.model import DenoiserConfig
from ..sim.train import SimTrainConfig
from ..sim.world import SimConfig
from ..vae import HybridVAEConfig
from ..vae.sharpen import SharpenConfig
from ..vae.train import VAETrainConfig


def vae_model() -> HybridVAEConfig:
    return HybridVAEConfig(
        height=64,
        width=64,
        channels=20,
        dim=32,
        heads=2,
        encoder_blocks=1,
        decoder_blocks=1,
        head_in=16,
        head=16,
        detail=4,
    )


def sim_model() -> SimConfig:
    network = vae_model()
    denoiser = DenoiserConfig(
        rows=2, columns=2, channels=network.channels, width=32, heads=2, layers=2, action_width=32, max_distance=16
    )
    return SimConfig(denoiser=denoiser, vae=network, history=6, start_clips=2, start_latents=4)


def vae() -> VAETrainConfig:
    return VAETrainConfig(
        model=vae_model(),
        loop=LoopConfig(steps=40, batch=4, optim=OptimConfig(lr=2e-3, warmup=10), ema_decay=0.9, validate_every=20),
        clips=ClipConfig(root="data/tiny"),
        val_clips=24,
        norm_clips=64,
        detail_clips=64,
    )


def decoder() -> VAETrainConfig:
    return replace(vae(), start_from="runs/tiny_vae", decoder_only=True, sharpen=SharpenConfig(crop=32, width=4))


def sim() -> SimTrainConfig:
    optim = OptimConfig(lr=2e-3, muon_lr=0.02, warmup=10)
    return SimTrainConfig(
        model=sim_model(),
        loop=LoopConfig(steps=40, batch=8, optim=optim, ema_decay=0.9, validate_every=20),
        clips=ClipConfig(root="data/tiny"),
        vae="runs/tiny_vae",
        latents="data/tiny/latents",
        val_clips=8,
        sheet_latents=4,
    )


def explorer() -> ExplorerTrainConfig:
    return ExplorerTrainConfig(
        decisions=512, episode_decisions=40, hidden=(32,), horizon=128, batch=64, epochs=2, save_every=256
    )


def prune_sim() -> PruneConfig:
    return PruneConfig(replace(sim(), start_from="runs/tiny_sim"), heads=1, channels=64, batches=2)


def prune_decoder() -> PruneConfig:
    return PruneConfig(replace(decoder(), sharpen=None), heads=1, channels=64, batches=2)
