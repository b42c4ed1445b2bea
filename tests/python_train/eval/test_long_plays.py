"""The tests of long plays tell a world from a wall, a circle from standing still, and one view from another."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from python_train.data.doom import DOOM_SCHEMA
from python_train.data.episode import episode_path, write_episode
from python_train.data.policies import FULL_CIRCLE
from python_train.eval.circle import return_test
from python_train.eval.contradiction import contradictions, first_contradiction
from python_train.eval.features import Features
from python_train.eval.frechet import frechet_distance
from python_train.eval.free_play import free_plays, play_actions, structure
from python_train.eval.starts import draw_open_starts, draw_starts
from python_train.sim.validate import CONTEXT
from tests.python_train.conftest import SIZE, synthetic_recording

RIGHT = DOOM_SCHEMA.names.index("TURN_RIGHT")


@pytest.fixture
def open_dataset(tmp_path: Path) -> Path:
    """The synthetic data set, with nothing in front of the player."""
    for index in range(4):
        recording = synthetic_recording(index)
        recording.depth[:] = 40
        write_episode(episode_path(tmp_path, index), recording, DOOM_SCHEMA, {"index": index, "fps": 17.5})
    return tmp_path


def turning(context: Tensor, actions: Tensor, schedule: str, seed: int) -> Tensor:
    """A world on a cylinder: each frame of turning rolls the picture on, a circle brings it back."""
    last = context[:, -1, ..., 3:]
    latents = []
    for world in range(len(context)):
        steps = (actions[world, CONTEXT:, :, RIGHT] - actions[world, CONTEXT:, :, RIGHT - 1]).flatten().cumsum(0)
        frames = [torch.roll(last[world], -round(float(step) * SIZE / FULL_CIRCLE), 1) for step in steps]
        pairs = [torch.cat(frames[place : place + 2], -1) for place in range(0, len(frames), 2)]
        latents.append(torch.stack(pairs))
    return torch.stack(latents)


def standing(context: Tensor, actions: Tensor, schedule: str, seed: int) -> Tensor:
    return context[:, -1:].repeat(1, actions.shape[1] - CONTEXT, 1, 1, 1)


def test_circle_comes_back_and_standing_still_is_seen(open_dataset: Path, lossless: Any) -> None:
    starts = draw_open_starts(open_dataset, "test", 2, 0)
    report, seen = return_test(lossless(turning), starts, "shift", 0)
    assert report["after_the_circle"][0] == 100
    assert report["half_way"][0] < 20
    assert seen.shape[:2] == (2, 6)
    still, _ = return_test(lossless(standing), starts, "shift", 0)
    assert still["after_the_circle"][0] == still["half_way"][0] == 100


def test_open_places_are_open(dataset: Path) -> None:
    with pytest.raises(ValueError, match="has 0 open places"):
        draw_open_starts(dataset, "test", 1, 0)


def test_free_plays_into_a_wall_are_flat(dataset: Path, lossless: Any) -> None:
    starts = draw_starts(dataset, "test", 3, 0, 0)

    def wall(context: Tensor, actions: Tensor, schedule: str, seed: int) -> Tensor:
        return torch.full_like(standing(context, actions, schedule, seed), 90.0)

    flat, _ = free_plays(lossless(wall), starts, dataset, "test", 10, "shift", 0)
    assert flat["flat_share"] == 1
    assert flat["flat_share_by_tenth"] == [1] * 10
    world, frames = free_plays(lossless(standing), starts, dataset, "test", 10, "shift", 0)
    assert world["flat_share"] <= 1 / 3
    assert frames.shape[:2] == (3, 10)
    assert world["frechet"]["play"] < flat["frechet"]["play"]
    assert world["frechet"]["reconstruction"] < 0.1, "this player loses nothing"


def test_structure_ignores_fine_texture() -> None:
    brick = torch.randint(0, 2, (1, 64, 64, 3), dtype=torch.uint8) * 60 + 60
    halves = torch.full((1, 64, 64, 3), 60, dtype=torch.uint8)
    halves[:, :, 32:] = 120
    assert structure(brick)[0] < 0.4 * structure(halves)[0]


def test_scripts_are_recorded_actions(dataset: Path) -> None:
    scripts = play_actions(dataset, "test", 2, 70, 0)
    assert scripts.shape == (2, 70, 2, 6)
    assert set(scripts.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(scripts, play_actions(dataset, "test", 2, 70, 0))


def test_frechet_distance_of_known_gaussians() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(0, 1, (20000, 3))
    b = rng.normal(0, 2, (20000, 3)) + np.array([3, 0, 0])
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a, b) == pytest.approx(9 + 3 * (2 - 1) ** 2, rel=0.03)


def test_first_contradiction() -> None:
    similar = np.array([[0.9, 0.2, 0.9], [0.9, 0.8, 0.7]])
    assert first_contradiction(similar, 0.5, [4, 8, 12]).tolist() == [8, np.inf]


def test_a_view_of_elsewhere_contradicts() -> None:
    rng = np.random.default_rng(0)
    views = torch.from_numpy(rng.integers(0, 256, (12, 1, 4, 4, 3), dtype=np.uint8)).repeat_interleave(16, 2)
    views = views.repeat_interleave(16, 3).repeat(1, 2, 1, 1, 1)
    half = views.clone()
    half[:, 1] = views[:, 1].roll(5, 0)
    report = contradictions(Features(), views, {"right": views, "half": half}, [4, 8])
    assert report["right"]["median_first"] is None
    assert report["right"]["consistent_share"] == [1, 1]
    assert report["half"]["median_first"] == 8
    assert report["half"]["consistent_share"][0] == 1
    assert report["half"]["consistent_share"][1] < 0.3
