"""The explorer: it is paid for new places alone, and plays in numpy what PPO learnt."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from python_train.configs import tiny
from python_train.data.doom import Observation
from python_train.explore.policy import EXPLORER_FILE, Explorer, ExplorerWeights
from python_train.explore.sight import DECISION_FRAMES, FEATURES, MOVES, Sight


def standing_at(x: float, y: float, angle: float) -> Observation:
    picture, depth = np.zeros((80, 128, 3), np.uint8), np.full((40, 64), 20, np.uint8)
    return Observation(picture, depth, (x, y, 0.0), angle, 100.0, 0)


def test_sight_remembers_where_it_has_been() -> None:
    sight = Sight()
    assert sight.look(standing_at(32, 32, 0), None).shape == (FEATURES,)
    features = sight.look(standing_at(96, 32, 0), 3)
    been = features[160 : 160 + 24].reshape(8, 3)
    assert been[4].tolist() == [1, 0, 0], "where it came from lies behind, one cell away"
    assert been.sum() == 1
    turned = sight.look(standing_at(96, 32, 180), 3)[160 : 160 + 24].reshape(8, 3)
    assert turned[0].tolist() == [1, 0, 0]
    assert features[-len(MOVES) :].argmax() == 3
    assert len(sight.cells) == 2
    assert len(sight.states) == 3


def test_new_places_pay_once() -> None:
    pytest.importorskip("vizdoom")
    checker = pytest.importorskip("gymnasium.utils.env_checker")
    from python_train.explore.env import NEW_CELL, ExploreEnv

    env = ExploreEnv(tiny.explorer().game, decisions=60)
    checker.check_env(env, skip_render_check=True)
    env.reset(seed=3)
    turning = [env.step(np.int64(5)) for _ in range(40)]  # a full circle and more on the spot
    rewards = [reward for _, reward, _, _, _ in turning]
    assert 0 < sum(rewards) < NEW_CELL
    assert sum(rewards[31:]) == 0, "every heading has been seen"
    walking = [env.step(np.int64(0)) for _ in range(20)]
    assert max(reward for _, reward, _, _, _ in walking) >= NEW_CELL
    assert walking[-1][3], "the episode is over after its decisions"
    env.close()


def test_numpy_plays_what_ppo_learnt(tmp_path: Path) -> None:
    pytest.importorskip("vizdoom")
    sb3 = pytest.importorskip("stable_baselines3")
    import torch

    from python_train.explore.env import ExploreEnv
    from python_train.explore.train import save_explorer, train_explorer

    config = replace(tiny.explorer(), decisions=256, save_every=128)
    curve = train_explorer(config, tmp_path)
    assert [row["decisions"] for row in curve] == [128, 256]
    assert (tmp_path / EXPLORER_FILE).exists()

    env = ExploreEnv(config.game, 10)
    model = sb3.PPO("MlpPolicy", env, policy_kwargs={"net_arch": [32]}, seed=1, device="cpu")
    env.close()
    save_explorer(model, config, tmp_path / "other.safetensors")
    features = np.random.default_rng(0).random((5, FEATURES), np.float32)
    expected = model.policy.get_distribution(torch.from_numpy(features)).distribution.probs.detach().numpy()
    weights = ExplorerWeights(tmp_path / "other.safetensors")
    np.testing.assert_allclose([weights.chances(row) for row in features], expected, atol=1e-5)

    runs = []
    for _ in range(2):
        explorer = Explorer(np.random.default_rng(4), weights)
        runs.append([explorer(standing_at(32, 32, 0)) for _ in range(40)])
    np.testing.assert_array_equal(runs[0], runs[1])
    held = np.array(runs[0]).reshape(-1, DECISION_FRAMES, 6)
    assert (held == held[:, :1]).all(), "a choice is held"
    assert len(np.unique(held[:, 0], axis=0)) > 3


def test_missing_weights_name_the_command(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="train explorer"):
        ExplorerWeights(tmp_path)
