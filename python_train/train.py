"""Runs of training: a config with what the command line changes in it."""

from dataclasses import dataclass, replace
from pathlib import Path

from .common import dist
from .common.loop import Loop, LoopConfig
from .sim.train import SimTask, SimTrainConfig
from .vae.train import VAETask, VAETrainConfig


@dataclass(frozen=True)
class Changes:
    """What stands in for a config's own: the data set and its curation, the length of the run, the checkpoint to start
    from and, for a simulator, the data set of the second set of clips and the checkpoint of the VAE. None leaves the
    config as it is."""

    data: str | None = None
    curation: str | None = None
    second: str | None = None
    steps: int | None = None
    start: str | None = None
    vae: str | None = None

    def of_vae(self, config: VAETrainConfig) -> VAETrainConfig:
        config = replace(config, start_from=self.start or config.start_from, loop=self._loop(config))
        clips = replace(config.clips, root=self.data or config.clips.root)
        return replace(config, clips=replace(clips, curation=self.curation or clips.curation))

    def of_sim(self, config: SimTrainConfig) -> SimTrainConfig:
        config = replace(config, start_from=self.start or config.start_from, loop=self._loop(config))
        clips = replace(config.clips, curation=self.curation or config.clips.curation)
        latents = f"{self.data}/latents" if self.data else config.latents
        second = replace(config.second, latents=f"{self.second}/latents") if self.second else config.second
        return replace(config, clips=clips, latents=latents, second=second, vae=self.vae or config.vae)

    def _loop(self, config: VAETrainConfig | SimTrainConfig) -> LoopConfig:
        return config.loop if self.steps is None else replace(config.loop, steps=self.steps)


def train_vae(config: VAETrainConfig, folder: Path, world: dist.World) -> None:
    Loop(VAETask(config, world), config.loop, folder, world).run()


def train_sim(config: SimTrainConfig, folder: Path, world: dist.World) -> None:
    Loop(SimTask(config, world), config.loop, folder, world).run()
