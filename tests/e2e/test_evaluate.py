"""A package is measured as what it is: the player over the runtime plays what eager PyTorch plays."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.conftest import exporters


@pytest.mark.parametrize("schedule", ["shift", "sequential"])
def test_both_players_play_the_same(package: Path, checkpoint: Path, schedule: str) -> None:
    torch = pytest.importorskip("torch")
    from exporters.compare import round_as_stored
    from exporters.evaluate import PackagePlayer
    from python_train.common.checkpoint import load_model
    from python_train.sim.rollout import rollout
    from python_train.sim.world import SimModel

    model, config, _ = load_model(checkpoint)
    assert isinstance(model, SimModel)
    round_as_stored(model, package)
    torch.manual_seed(0)
    context = torch.randn(3, 4, config.denoiser.rows, config.denoiser.columns, config.denoiser.channels)
    actions = (torch.rand(3, 10, 2, config.denoiser.buttons) < 0.3).float()
    with torch.autocast("cpu", enabled=False), pytest.MonkeyPatch.context() as patch:
        patch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: False)  # fp32 on both sides
        eager = rollout(model.denoiser, config, context, actions, schedule, seed=5)
    played = PackagePlayer(package, "fp32", threads=1).play(context, actions, schedule, seed=5)
    assert played.shape == eager.shape == (3, 6, *context.shape[2:])
    np.testing.assert_allclose(played.numpy(), eager.numpy(), rtol=2e-3, atol=2e-3)


def test_the_command_measures_a_package(package: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from python_train.data.doom import DOOM_SCHEMA
    from python_train.data.episode import episode_path, write_episode
    from tests.python_train.conftest import synthetic_recording

    for index in range(4):
        info = {"index": index, "fps": 17.5}
        write_episode(episode_path(tmp_path, index), synthetic_recording(index), DOOM_SCHEMA, info)
    options = [
        "--precisions",
        "fp32,int8",
        "--starts",
        "4",
        "--seeds",
        "2",
        "--ahead",
        "4",
        "--costs-ahead",
        "2",
        "--circles",
        "0",
        "--plays",
        "2",
    ]
    out = tmp_path / "out"
    exporters("eval", package, "--data", tmp_path, "--play-latents", 12, *options, "--out", out)
    report = json.loads((out / "eval.json").read_text())
    assert report["precision"] == "fp32"
    assert set(report["costs"]) == {"int8"}
    assert abs(report["costs"]["int8"]["2"]["minus fp32"][0]) < 1
    assert {path.name for path in out.iterdir()} == {"eval.json", "rollouts.png", "free_play.png", "walk.mp4"}
