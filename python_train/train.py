"""Runs of training by config name."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType

from .common import dist
from .common.loop import Loop, LoopConfig
from .vae.train import VAETask


def shortened(loop: LoopConfig, steps: int | None) -> LoopConfig:
    return loop if steps is None else replace(loop, steps=steps)


def train_vae(run: ModuleType, folder: Path, world: dist.World, data: str | None, steps: int | None) -> None:
    config = run.vae()
    config = replace(config, loop=shortened(config.loop, steps))
    if data:
        config = replace(config, clips=replace(config.clips, root=data))
    Loop(VAETask(config, world), config.loop, folder, world).run()
