"""A small synthetic data set: coloured boxes that slide with the buttons, so that something can be learnt."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from python_train.common.checkpoint import save_model
from python_train.configs import tiny
from python_train.data.doom import DOOM_SCHEMA
from python_train.data.episode import Recording, episode_path, write_episode
from python_train.data.latents import encode_split
from python_train.data.split import SPLITS
from python_train.sim.train import SimTrainConfig
from python_train.vae.train import VAETrainConfig

# Models this small lose by a second thread, and on a busy machine its barriers cost most of the time.
torch.set_num_threads(1)

EPISODES, FRAMES, SIZE = 4, 60, 64


def synthetic_recording(seed: int, frames: int = FRAMES, size: int = SIZE) -> Recording:
    rng = np.random.default_rng(seed)
    buttons = np.repeat(np.eye(6, dtype=np.uint8)[rng.integers(6, size=frames // 4 + 1)], 4, axis=0)[:frames]
    turned = np.cumsum(buttons[:, 5].astype(int) - buttons[:, 4]) * 3
    shift = np.concatenate([[0], turned[:-1]])  # what is held at a frame shows in the next one
    colours = rng.integers(0, 256, (1, size, 3), dtype=np.uint8).repeat(size, 0)
    return Recording(
        rgb=[np.roll(colours, int(offset), 1) for offset in shift],
        depth=rng.integers(0, 30, (frames, size // 2, size // 2), dtype=np.uint8),
        buttons=buttons,
        position=np.zeros((frames, 3), np.float32),
        angle=shift.astype(np.float32),
        health=np.full(frames, 100, np.float32),
        tic=np.arange(frames) * 2,
    )


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    for index in range(EPISODES):
        info = {"index": index, "fps": 17.5}
        write_episode(episode_path(root, index), synthetic_recording(index), DOOM_SCHEMA, info)
    return root


@pytest.fixture(scope="session")
def latents(dataset: Path) -> Path:
    """The data set, encoded by a VAE with random weights."""
    torch.manual_seed(0)
    vae = tiny.vae_model().build().eval()
    for split in SPLITS:
        encode_split(vae, dataset, split, dataset / "latents" / f"{split}.safetensors", {"vae_sha256": "0"})
    return dataset / "latents"


@pytest.fixture(scope="session")
def vae_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of the same random VAE."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("vae")
    save_model(folder / "model.safetensors", tiny.vae_model().build(), tiny.vae_model(), {"kind": "vae"})
    return folder


@pytest.fixture
def vae_run(dataset: Path) -> VAETrainConfig:
    """Six steps of the tiny VAE on the synthetic data."""
    config = tiny.vae()
    loop = replace(config.loop, steps=6, validate_every=3)
    return replace(config, loop=loop, clips=replace(config.clips, root=str(dataset)), val_clips=4, norm_clips=4)


@pytest.fixture
def sim_run(latents: Path, vae_checkpoint: Path) -> SimTrainConfig:
    """Six steps of the tiny simulator on the synthetic data; the last two on longer clips."""
    config = tiny.sim()
    loop = replace(config.loop, steps=6, batch=4, validate_every=3)
    return replace(
        config,
        loop=loop,
        latents=str(latents),
        vae=str(vae_checkpoint),
        long_frames=8,
        frames=4,
        long_from=0.6,
        val_clips=3,
        sheet_latents=2,
    )
