"""The game as a gymnasium environment whose reward is new places."""

from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete

from ..data.doom import DoomConfig, DoomGame, Observation
from .sight import DECISION_FRAMES, FEATURES, MOVES, Sight

NEW_CELL, NEW_HEADING = 1.0, 0.05


class ExploreEnv(gymnasium.Env[np.ndarray, np.int64]):
    """One step is one decision. Reward: 1 for a cell of the map that is new in this episode, .05 for a heading that is
    new in its cell. An episode ends with the game's, or after `decisions`."""

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012  gymnasium's own form

    def __init__(self, game: DoomConfig, decisions: int) -> None:
        self.action_space = Discrete(len(MOVES))
        self.observation_space = Box(0, 1, (FEATURES,), np.float32)
        self.decisions = decisions
        self._game = DoomGame(replace(game, tics_per_frame=game.tics_per_frame * DECISION_FRAMES))
        self._sight = Sight()
        self._view = np.zeros(FEATURES, np.float32)
        self._taken = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self._sight, self._taken = Sight(), 0
        self._look(self._game.reset(int(self.np_random.integers(2**31))), None)
        return self._view, {}

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        choice = int(action)
        cells, states = len(self._sight.cells), len(self._sight.states)
        seen = self._game.step(MOVES[choice])
        self._taken += 1
        if seen is not None:
            self._look(seen, choice)
        new_cells, new_states = len(self._sight.cells) - cells, len(self._sight.states) - states
        reward = NEW_CELL * new_cells + NEW_HEADING * (new_states - new_cells)
        info = {"cells": len(self._sight.cells), "states": len(self._sight.states)}
        return self._view, reward, seen is None, self._taken >= self.decisions, info

    def close(self) -> None:
        self._game.close()

    def _look(self, seen: Observation, last: int | None) -> None:
        self._view = self._sight.look(seen, last)
