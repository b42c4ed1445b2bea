"""Exploration policies: which buttons to hold next, seen what the depth buffer shows.

All are *sticky*: a choice is held for several frames, as a player would. They return multi-hot uint8 `[A]` in the order
of DOOM_SCHEMA.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from .doom import Observation

FORWARD, BACKWARD, LEFT, RIGHT, TURN_LEFT, TURN_RIGHT = range(6)
BUTTONS = 6
FULL_CIRCLE = 60  # frames, at 3 degrees a tic and 2 tics a frame


class Policy(Protocol):
    """Chooses the buttons that are held from the current frame to the next; made anew for each episode."""

    def __call__(self, seen: Observation) -> np.ndarray: ...


def openness(depth: np.ndarray) -> np.ndarray:
    """How far the view is open in the middle: a low percentile of the depth at eye level, `[...,h,w]` -> `[...]`."""
    height, width = depth.shape[-2:]
    band = depth[..., int(height * 0.45) : int(height * 0.62), int(width * 0.35) : int(width * 0.65)]
    result: np.ndarray = np.percentile(band, 20, axis=(-2, -1))
    return result


class UniformSticky:
    """One random button at a time, held for 2 to 9 frames."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.frames_left = 0
        self.action = np.zeros(BUTTONS, np.uint8)

    def __call__(self, seen: Observation) -> np.ndarray:
        if self.frames_left <= 0:
            self.action = np.zeros(BUTTONS, np.uint8)
            self.action[self.rng.integers(BUTTONS)] = 1
            self.frames_left = int(self.rng.integers(2, 10))
        self.frames_left -= 1
        return self.action.copy()


class Wanderer:
    """Walks where it is open and turns away from walls; reaches a third more map cells than UniformSticky. Now and
    then it turns a full circle in place: a world learns from it that what left the view comes back."""

    def __init__(self, rng: np.random.Generator, near: float = 4.0) -> None:
        self.rng = rng
        self.near = near
        self.frames_left = 0
        self.action = np.zeros(BUTTONS, np.uint8)

    def __call__(self, seen: Observation) -> np.ndarray:
        blocked = self._blocked(seen.depth)
        replan = blocked and self.action[FORWARD] and self.frames_left > 2 and self.rng.random() < 0.8
        if self.frames_left <= 0 or replan:
            self.action = np.zeros(BUTTONS, np.uint8)
            self.frames_left = self._turn_away(seen.depth) if blocked else self._wander()
        self.frames_left -= 1
        return self.action.copy()

    def _blocked(self, depth: np.ndarray) -> bool:
        return bool(openness(depth) <= self.near)

    def _opens_left(self, depth: np.ndarray) -> bool:
        band, width = depth[int(depth.shape[0] * 0.45) : int(depth.shape[0] * 0.62)], depth.shape[1]
        return bool(band[:, : width // 3].mean() > band[:, 2 * width // 3 :].mean())

    def _turn_away(self, depth: np.ndarray) -> int:
        rng = self.rng
        left = self._opens_left(depth) if rng.random() < 0.8 else rng.random() < 0.5
        self.action[TURN_LEFT if left else TURN_RIGHT] = 1
        if rng.random() < 0.25:
            self.action[BACKWARD] = 1
        elif rng.random() < 0.3:
            self.action[LEFT if left else RIGHT] = 1
        return int(rng.integers(5, 20))

    def _wander(self) -> int:
        rng, action = self.rng, self.action
        turn = TURN_LEFT if rng.random() < 0.5 else TURN_RIGHT
        side = LEFT if rng.random() < 0.5 else RIGHT
        choice = rng.random()
        if choice < 0.42:
            action[FORWARD] = 1
            return int(rng.integers(4, 24))
        if choice < 0.66:
            action[[FORWARD, turn]] = 1
            return int(rng.integers(3, 14))
        if choice < 0.80:
            action[turn] = 1
            return FULL_CIRCLE if rng.random() < 0.2 else int(rng.integers(3, 30))
        if choice < 0.88:
            action[side] = 1
            action[FORWARD] = rng.random() < 0.4
            return int(rng.integers(3, 12))
        if choice < 0.95:
            action[BACKWARD] = 1
            return int(rng.integers(3, 12))
        return int(rng.integers(2, 6))


class Blind(Wanderer):
    """The wanderer with its eyes shut: it turns away from walls that are not there and pushes on against those that are. So
    does everyone who plays a world that has drifted from the game: it must know how such views go on, and end."""

    def _blocked(self, depth: np.ndarray) -> bool:
        return bool(self.rng.random() < 0.06)

    def _opens_left(self, depth: np.ndarray) -> bool:
        return bool(self.rng.random() < 0.5)


def _ppo(explorer: str) -> Callable[[np.random.Generator], Policy]:
    # Imported here: the explorer is built on the game's observations, as this file is.
    from pathlib import Path

    from ..explore.policy import PACKED, Explorer, ExplorerWeights

    weights = ExplorerWeights(Path(explorer) if explorer else PACKED)
    return lambda rng: Explorer(rng, weights)


POLICIES: dict[str, Callable[[str], Callable[[np.random.Generator], Policy]]] = {
    "wanderer": lambda explorer: Wanderer,
    "blind": lambda explorer: Blind,
    "uniform": lambda explorer: UniformSticky,
    "ppo": _ppo,
}
"""Policies by name. Each takes the path of the explorer's weights ("" for the packed ones; used by "ppo" alone) and returns
what makes the policy of an episode from its random generator."""
