"""ViZDoom at 256x160 on two cores: the recipe of the packaged world (docs/training.md)."""

from dataclasses import replace

from ..common.loop import LoopConfig
from ..common.optim import OptimConfig
from ..data.clips import ClipConfig
from ..data.mixture import SecondSet
from ..explore.config import ExplorerTrainConfig
from ..prune.run import PruneConfig
from ..sim.model import DenoiserConfig
from ..sim.noise import NoiseConfig
from ..sim.train import SimTrainConfig
from ..sim.world import SimConfig
from ..vae import HybridVAEConfig
from ..vae.sharpen import SharpenConfig
from ..vae.train import VAETrainConfig


def vae_model() -> HybridVAEConfig:
    """More channels than the paper's 16: at 256x160 a patch of 32 pixels shows as much as one of 128 does at 1080p, and
    16 values of it are a blur (docs/training.md)."""
    return HybridVAEConfig(channels=96, detail=80)


def vae() -> VAETrainConfig:
    return VAETrainConfig(
        model=vae_model(),
        loop=LoopConfig(steps=1200, batch=16, optim=OptimConfig(lr=6e-4, hold=0.3), ema_decay=0.99, validate_every=150),
        clips=ClipConfig(),
        kl_weight=8e-3,
    )


def decoder() -> VAETrainConfig:
    """Sharpens the decoder of `runs/vae`; its latents stay those that the denoiser is trained on."""
    optim = OptimConfig(lr=1.5e-4, hold=0.5)
    loop = LoopConfig(steps=1200, batch=8, optim=optim, ema_decay=0.99, validate_every=200)
    return replace(vae(), loop=loop, start_from="runs/vae", decoder_only=True, sharpen=SharpenConfig())


def sim() -> SimTrainConfig:
    """A ring of 32 latents, so that a full turn (30) fits in it; the last clips are as long as ring and window. Two
    evaluations a grade: with one, plays fade; two of the levels lie low, where details are decided. A quarter of the
    clips is by somebody who does not look, or walls are where plays end (docs/training.md)."""
    optim = OptimConfig(lr=1e-3, muon_lr=0.02, weight_decay=0.0, warmup=100, hold=0.6, floor=0.03)
    network = vae_model()
    denoiser = DenoiserConfig(channels=network.channels, max_distance=36)
    return SimTrainConfig(
        model=SimConfig(denoiser, network, grades=(0.0, 0.25, 0.75, 1.0), evaluations=2, history=32),
        loop=LoopConfig(steps=2400, batch=16, optim=optim, ema_decay=0.998, validate_every=200, compile=True),
        clips=ClipConfig(),
        vae="runs/vae",
        latents="data/doom/latents",
        second=SecondSet("data/doom_blind/latents", share=0.25),
        noise=NoiseConfig(shift=0.4, scattered=0.4),
        learn_bias=False,
        long_frames=36,
    )


def explorer() -> ExplorerTrainConfig:
    return ExplorerTrainConfig()


def prune_sim() -> PruneConfig:
    """Three of four heads and 640 of 1,024 channels; the recovery starts at a quarter of the rate, which falls soon."""
    optim = OptimConfig(lr=2.5e-4, muon_lr=0.005, weight_decay=0.0, warmup=20, hold=0.3, floor=0.03)
    loop = LoopConfig(steps=300, batch=10, optim=optim, ema_decay=0.98, validate_every=100)
    return PruneConfig(replace(sim(), loop=loop, start_from="runs/sim", long_from=1.0), heads=3, channels=640)


def prune_decoder() -> PruneConfig:
    """Four of six heads and 960 of 1,536 channels; errors of pixels alone say which matter least."""
    optim = OptimConfig(lr=2e-4, warmup=20, hold=0.3)
    loop = LoopConfig(steps=300, batch=8, optim=optim, ema_decay=0.98, validate_every=100)
    return PruneConfig(replace(decoder(), loop=loop, sharpen=None), heads=4, channels=960)
