"""Collection from the real game: an episode depends on the seed and its index alone, and collection resumes."""

from pathlib import Path

import numpy as np
import pytest

from python_train.data.collect import CollectConfig, collect
from python_train.data.doom import DoomConfig, Observation
from python_train.data.episode import Episode, episode_path, list_episodes
from python_train.data.policies import POLICIES, openness

pytest.importorskip("vizdoom")


def config(root: Path, episodes: int) -> CollectConfig:
    game = DoomConfig(height=64, width=64, render_height=120, render_width=160)
    return CollectConfig(str(root), frames=20 * episodes, episode_frames=20, workers=2, game=game)


def test_resumed_collection_gives_the_same_episodes(tmp_path: Path) -> None:
    collect(config(tmp_path / "a", 3))
    episodes = list_episodes(tmp_path / "a")
    assert sorted(episodes) == [0, 1, 2]
    kept = episodes[0].stat().st_mtime_ns
    first = Episode(episodes[1])
    frames, buttons = first.frames(0, 20), first.buttons
    episodes[1].unlink()
    collect(config(tmp_path / "a", 3))
    again = Episode(episode_path(tmp_path / "a", 1))
    np.testing.assert_array_equal(again.frames(0, 20), frames)
    np.testing.assert_array_equal(again.buttons, buttons)
    assert episodes[0].stat().st_mtime_ns == kept
    np.testing.assert_array_equal(np.diff(again.tic), 2)


def looking_at(depth: int) -> Observation:
    """Stands still before a wall at this depth."""
    return Observation(np.zeros((80, 128, 3), np.uint8), np.full((40, 64), depth, np.uint8), (0, 0, 0), 0.0, 100.0, 0)


@pytest.mark.parametrize("name", ["uniform", "wanderer", "blind"])
def test_policies_hold_buttons_and_are_deterministic(name: str) -> None:
    seen = looking_at(20)
    start = POLICIES[name]("")
    runs = [[policy(seen) for _ in range(3000)] for policy in (start(np.random.default_rng(3)) for _ in "ab")]
    np.testing.assert_array_equal(runs[0], runs[1])
    actions = np.array(runs[0])
    changes = (actions[1:] != actions[:-1]).any(1).mean()
    assert 0.01 < changes < 0.5
    assert (actions.sum(0) > 0).all(), "every button is used"


def test_wanderer_turns_away_from_a_wall() -> None:
    seen = looking_at(1)
    policy = POLICIES["wanderer"]("")(np.random.default_rng(0))
    actions = np.array([policy(seen) for _ in range(200)])
    assert openness(seen.depth) == 1
    assert (actions[:, 4:].sum(1) > 0).all()
    assert actions[:, 0].sum() == 0


def test_blind_does_the_same_whatever_it_faces() -> None:
    runs = [(POLICIES["blind"]("")(np.random.default_rng(0)), looking_at(depth)) for depth in (1, 20)]
    near, far = ([policy(seen) for _ in range(200)] for policy, seen in runs)
    np.testing.assert_array_equal(near, far)
