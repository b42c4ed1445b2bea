"""A run on two sets of clips."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from python_train.common.dist import World
from python_train.data.mixture import SecondSet
from python_train.sim.own_past import OwnPastConfig
from python_train.sim.train import SimTask, SimTrainConfig
from python_train.train import Changes, train_sim


@pytest.fixture
def other(latents: Path, tmp_path: Path) -> Path:
    """A data set whose latents one knows from those of the first."""
    tensors = load_file(latents / "train.safetensors")
    tensors["latents"] += 100
    with safe_open(latents / "train.safetensors", "pt") as file:
        metadata = file.metadata()
    (tmp_path / "latents").mkdir()
    save_file(tensors, tmp_path / "latents/train.safetensors", metadata)
    return tmp_path


def test_a_batch_holds_both_sets(sim_run: SimTrainConfig, other: Path) -> None:
    run = Changes(second=str(other)).of_sim(replace(sim_run, second=SecondSet(share=0.5)))
    mixed, alone = SimTask(run, World()).batch(0), SimTask(sim_run, World()).batch(0)
    assert torch.equal(mixed[0][:2], alone[0][:2])
    assert (mixed[0][2:] > 50).all()
    assert [part.shape for part in mixed] == [part.shape for part in alone]


def test_a_group_on_its_own_past_keeps_its_clips(sim_run: SimTrainConfig, other: Path) -> None:
    own_past = OwnPastConfig(share=1.0, frames=14, reuse=3)
    run = replace(sim_run, own_past=own_past, second=SecondSet(str(other / "latents"), share=0.3))
    task = SimTask(replace(run, loop=replace(run.loop, batch=12)), World())
    first, again, third = (task.batch(step) for step in (0, 1, 2))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[0], third[0])
    assert not torch.equal(first[2], again[2])  # noise levels


def test_a_run_needs_the_second_set_that_it_names(sim_run: SimTrainConfig, tmp_path: Path) -> None:
    run = replace(sim_run, second=SecondSet(str(tmp_path / "nowhere"), share=0.5))
    with pytest.raises(FileNotFoundError, match=r"nowhere.*encode"):
        train_sim(run, tmp_path / "run", World())
