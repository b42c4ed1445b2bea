"""The game as a reference of free plays."""

import numpy as np
import pytest
import torch

from python_train.data.doom import DOOM_SCHEMA, DoomConfig, DoomGame, Observation
from python_train.eval.game import game_frames

SMALL = DoomConfig(height=60, width=80, render_height=120, render_width=160)


def test_the_game_plays_the_script() -> None:
    actions = torch.zeros(2, 6, 2, len(DOOM_SCHEMA.buttons))
    actions[:, 3:, :, DOOM_SCHEMA.names.index("TURN_LEFT")] = 1
    frames = game_frames(SMALL, actions, np.array([0, 2, 5]), seed=4)
    assert frames.shape == (2, 3, 60, 80, 3)
    assert frames.dtype == torch.uint8
    standing, turned = (frames[:, 0].float() - frames[:, look].float() for look in (1, 2))
    assert standing.abs().mean() < 1, "nothing was held"
    assert turned.abs().mean() > 3
    assert not torch.equal(frames[0], frames[1]), "each play has a place of its own"
    assert torch.equal(frames, game_frames(SMALL, actions, np.array([0, 2, 5]), seed=4))


def test_an_episode_that_ends_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    starts: list[int] = []

    class Ends(DoomGame):
        def reset(self, seed: int) -> Observation:
            starts.append(seed)
            return super().reset(seed)

        def step(self, buttons: np.ndarray) -> None:
            return None

    monkeypatch.setattr("python_train.eval.game.DoomGame", Ends)
    assert game_frames(SMALL, torch.zeros(1, 3, 2, 6), np.array([0, 2]), seed=0).shape[:2] == (1, 2)
    assert len(set(starts)) == 1 + 3 * 2
