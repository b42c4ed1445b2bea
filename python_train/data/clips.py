"""Random clips of a data set. What is drawn depends on (seed, step) alone, so no sampler state needs saving."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..common.seeding import numpy_rng
from ..config import register
from .curation import Curation
from .episode import Episode, list_episodes
from .policies import openness
from .split import split_of


@register
@dataclass(frozen=True)
class ClipConfig:
    """Which clips are drawn. A frame whose view is blocked at depth <= `near` (in depth units) counts `near_weight`:
    an agent faces a wall a quarter of the time, and a model that saw as much learns to end in front of one. If a `curation` is
    named (file or folder), frames count as the balancer says instead, and no clip holds a frame that a filter removed.
    """

    root: str = "data/doom"
    near: float = 3.0
    near_weight: float = 0.3
    curation: str = ""


def open_split(root: str | Path, split: str) -> dict[int, Episode]:
    """Episodes of one split by index; ValueError if the split is empty."""
    chosen = {index: Episode(path) for index, path in list_episodes(Path(root)).items() if split_of(index) == split}
    if not chosen:
        raise ValueError(f"{root} has no {split} episode; collect more episodes")
    return chosen


def frame_weights(episode: Episode, config: ClipConfig, curation: Curation | None) -> np.ndarray:
    """Sampling weight of every frame, float64 `[N]`; 0 where it was removed."""
    if curation:
        return curation.weights(episode.info["index"]).astype(np.float64)
    blocked = openness(episode.depth(0, len(episode))) <= config.near
    return np.where(blocked, config.near_weight, 1.0)


class ClipSampler:
    """Draws clips of `length` consecutive frames with probability in proportion to their mean frame weight."""

    def __init__(self, config: ClipConfig, split: str, length: int, seed: int) -> None:
        self.length, self.seed = length, seed
        self.episodes = [episode for episode in open_split(config.root, split).values() if len(episode) >= length]
        curation = Curation.load(config.curation) if config.curation else None
        windows = [clip_weights(frame_weights(episode, config, curation), length) for episode in self.episodes]
        self.starts = np.concatenate([[0], np.cumsum([len(window) for window in windows])])
        self.cumulative = cumulative(np.concatenate(windows))

    def places(self, step: int, batch: int) -> list[tuple[int, int]]:
        """(episode position, first frame) of the `batch` clips of `step`."""
        draws = numpy_rng(self.seed, step).random(batch)
        flat = np.minimum(np.searchsorted(self.cumulative, draws, side="right"), len(self.cumulative) - 1)
        episodes = np.searchsorted(self.starts, flat, side="right") - 1
        return [(int(e), int(f - self.starts[e])) for e, f in zip(episodes, flat, strict=True)]

    def frames(self, places: list[tuple[int, int]]) -> np.ndarray:
        """RGB of clips, uint8 `[B,T,H,W,3]`."""
        return np.stack([self.episodes[e].frames(start, start + self.length) for e, start in places])


def clip_weights(weights: np.ndarray, length: int) -> np.ndarray:
    """Of every clip of `length` frames: their mean weight, 0 if one of them is removed."""
    removed = window_means((weights <= 0).astype(np.float64), length) > 0
    return np.where(removed, 0.0, window_means(weights, length))


def cumulative(weights: np.ndarray) -> np.ndarray:
    """Cumulative chances of clips; ValueError if filters left none."""
    total = weights.sum()
    if total <= 0:
        raise ValueError(f"all {len(weights)} clips hold a removed frame; loosen the filters and curate again")
    chances: np.ndarray = np.cumsum(weights / total)
    return chances


def window_means(values: np.ndarray, length: int) -> np.ndarray:
    """Mean over every window of `length`: `[N]` -> `[N - length + 1]`."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    means: np.ndarray = (sums[length:] - sums[:-length]) / length
    return means
