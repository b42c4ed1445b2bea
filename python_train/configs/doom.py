"""ViZDoom at 256x160 on two cores: the recipe of the packaged world (docs/training.md)."""

from ..common.loop import LoopConfig
from ..common.optim import OptimConfig
from ..data.clips import ClipConfig
from ..vae import HybridVAEConfig
from ..vae.train import VAETrainConfig


def vae() -> VAETrainConfig:
    return VAETrainConfig(
        model=HybridVAEConfig(),
        loop=LoopConfig(steps=2400, batch=8, optim=OptimConfig(lr=6e-4), ema_decay=0.99, validate_every=200),
        clips=ClipConfig(),
    )
