"""Runs of training: a config with what the command line changes in it."""

from dataclasses import replace
from pathlib import Path

from .common import dist
from .common.loop import Loop, LoopConfig
from .sim.train import SimTask, SimTrainConfig
from .vae.train import VAETask, VAETrainConfig


def shortened(loop: LoopConfig, steps: int | None) -> LoopConfig:
    return loop if steps is None else replace(loop, steps=steps)


def changed_vae(config: VAETrainConfig, data: str | None, steps: int | None, start: str | None) -> VAETrainConfig:
    """`data`, `steps` and the checkpoint to `start` from stand in for the config's."""
    config = replace(config, loop=shortened(config.loop, steps), start_from=start or config.start_from)
    return replace(config, clips=replace(config.clips, root=data)) if data else config


def changed_sim(
    config: SimTrainConfig, data: str | None, steps: int | None, start: str | None, vae: str | None
) -> SimTrainConfig:
    """`data`, `steps`, the checkpoint to `start` from and that of the VAE stand in for the config's."""
    loop = shortened(config.loop, steps)
    config = replace(config, loop=loop, start_from=start or config.start_from, vae=vae or config.vae)
    return replace(config, latents=f"{data}/latents") if data else config


def train_vae(
    config: VAETrainConfig, folder: Path, world: dist.World, data: str | None, steps: int | None, start: str | None
) -> None:
    config = changed_vae(config, data, steps, start)
    Loop(VAETask(config, world), config.loop, folder, world).run()


def train_sim(
    config: SimTrainConfig,
    folder: Path,
    world: dist.World,
    data: str | None,
    steps: int | None,
    start: str | None,
    vae: str | None,
) -> None:
    config = changed_sim(config, data, steps, start, vae)
    Loop(SimTask(config, world), config.loop, folder, world).run()
