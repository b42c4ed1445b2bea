"""The paper's three filters of recorded frames, each a function of one episode's measures (data/measures.py)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .doom import DOOM_SCHEMA
from .episode import Episode

Measures = dict[str, np.ndarray]
TURNS = [place for place, name in enumerate(DOOM_SCHEMA.names) if name.startswith("TURN")]


@dataclass(frozen=True)
class FilterConfig:
    """Thresholds. The paper names the filters and not their thresholds; these were set by looking at what they remove
    (docs/dataset.md).

    `min_variance`: of the colours of a frame reduced by 8. `max_repeats`: frames on end that change by less than
    `repeat_change`; also, how many tics a frame may take. `max_idle`: frames on end in which keys do nothing.
    """

    min_variance: float = 5.0
    repeat_change: float = 0.05
    max_repeats: int = 4
    max_idle: int = 5
    moved: float = 0.05  # map units
    turned: float = 0.1  # degrees


def visual(episode: Episode, measures: Measures, config: FilterConfig) -> np.ndarray:
    """Nothing to see: a failed rendering, or the camera in a wall."""
    flat: np.ndarray = measures["variance"] < config.min_variance
    return flat


def anomaly(episode: Episode, measures: Measures, config: FilterConfig) -> np.ndarray:
    """Stutter: too many repeated frames on end, or a time stamp out of step with the frame rate."""
    repeated = measures["change"] < config.repeat_change
    repeated[:1] = False  # the first frame repeats nothing
    step = np.diff(episode.tic)
    late = np.concatenate([[False], step != np.median(step)]) if len(step) else np.zeros(1, bool)
    stutter: np.ndarray = runs_longer_than(repeated, config.max_repeats) | late
    return stutter


def rule(episode: Episode, measures: Measures, config: FilterConfig) -> np.ndarray:
    """Keys do nothing for long: a menu, a death, a corner that holds the player."""
    moved = np.linalg.norm(np.diff(episode.position, axis=0), axis=1) > config.moved
    angle = (np.diff(episode.angle) + 180) % 360 - 180
    held = episode.buttons[:-1].astype(bool)
    # Keys that cancel each other are held for nothing in any game.
    both = (held[:, TURNS].all(1) & (held.sum(1) == 2)) if len(held) else np.zeros(0, bool)
    idle = held.any(1) & ~both & ~moved & (np.abs(angle) <= config.turned)
    return runs_longer_than(np.concatenate([[False], idle]), config.max_idle)


FILTERS: dict[str, Callable[[Episode, Measures, FilterConfig], np.ndarray]] = {
    "visual": visual,
    "anomaly": anomaly,
    "rule": rule,
}


def runs_longer_than(flags: np.ndarray, length: int) -> np.ndarray:
    """The flags of runs of more than `length`."""
    edges = np.diff(np.concatenate([[0], flags.astype(int), [0]]))
    kept = np.zeros(len(flags), bool)
    for start, stop in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        kept[start:stop] = stop - start > length
    return kept
