"""Yan-Sim at 1080p, for a cluster: the paper's run (arXiv 2508.08601). Not run here.

Published: 1080p at two frames a latent, 34 x 60 tokens of 16 channels (1080 rows padded to 1088), 8 keys, action
tokens of width 768, epsilon-prediction, four grades, the first one clean. Widths and depth are not: they are our choice
(`yanrt estimate` says what a GPU makes of them, docs/profiling.md).
"""

from dataclasses import replace

from ..common.loop import LoopConfig
from ..common.optim import OptimConfig
from ..data.clips import ClipConfig
from ..diffusion import DDPM
from ..explore.config import ExplorerTrainConfig
from ..prune.run import PruneConfig
from ..sim.model import DenoiserConfig
from ..sim.train import SimTrainConfig
from ..sim.world import SimConfig
from ..vae import ConvVAEConfig
from ..vae.train import VAETrainConfig

ROWS, COLUMNS = 34, 60


def vae_model() -> ConvVAEConfig:
    return ConvVAEConfig(height=32 * ROWS, width=32 * COLUMNS, widths=(32, 64, 128, 256, 512))


def sim_model() -> SimConfig:
    denoiser = DenoiserConfig(
        rows=ROWS,
        columns=COLUMNS,
        buttons=8,
        width=1024,
        heads=16,
        layers=16,
        action_width=768,
        scope="position",
        diffusion=DDPM(),
    )
    return SimConfig(denoiser=denoiser, vae=vae_model())


def vae() -> VAETrainConfig:
    optim = OptimConfig(lr=1e-4, warmup=2_000)
    return VAETrainConfig(
        model=vae_model(),
        loop=LoopConfig(steps=400_000, batch=1, optim=optim, ema_decay=0.9999, validate_every=5_000),
        clips=ClipConfig(root="data/paper"),
    )


def decoder() -> VAETrainConfig:
    return replace(vae(), start_from="runs/paper_vae", decoder_only=True)


def sim() -> SimTrainConfig:
    optim = OptimConfig(lr=3e-4, muon_lr=0.01, warmup=5_000, hold=0.5)
    return SimTrainConfig(
        model=sim_model(),
        loop=LoopConfig(steps=500_000, batch=1, optim=optim, ema_decay=0.9999, validate_every=5_000),
        clips=ClipConfig(root="data/paper"),
        vae="runs/paper_vae",
        latents="data/paper/latents",
    )


def explorer() -> ExplorerTrainConfig:
    return ExplorerTrainConfig()


def prune_sim() -> PruneConfig:
    return PruneConfig(replace(sim(), start_from="runs/paper_sim"), heads=12, channels=3072, batches=64)
