"""The balancer: weights of frames that even out where the player is, where it looks, how near a wall is and what it does.

Every frame has one bin in each property. Its weight is a product of one factor a property, found by raking: in turn, each
property's factors are set so that its weighted histogram meets the target. The target lies between the recorded
histogram and an even one, for a bin seen a few times must not fill an epoch.
"""

from dataclasses import dataclass

import numpy as np

from .doom import DOOM_SCHEMA
from .episode import Episode
from .places import cells_of, headings_of

ROUNDS = 20
TRANSITIONS = ("still", "turn", "walk", "walk and turn", "strafe", "collision")
NEAR = ("open", "near wall")


@dataclass(frozen=True)
class BalanceConfig:
    """`evenness`: 0 keeps the recorded histogram, 1 asks for an even one. `near`: depth of a view that a wall blocks;
    `near_share`: share of the draws that such views get. A weight is at most `limit` times the mean, at least 1/limit.
    `collided`: map units a frame under which walking has met something."""

    evenness: float = 0.5
    near: float = 3.0
    near_share: float = 0.1
    limit: float = 5.0
    collided: float = 2.0


def properties(episode: Episode, openness: np.ndarray, config: BalanceConfig) -> dict[str, np.ndarray]:
    """One label a frame and property, int64 `[N]`. Positions are numbered by cell: x * 2^20 + y."""
    cell = cells_of(episode.position)
    return {
        "position": cell[:, 0] * 2**20 + cell[:, 1],
        "heading": headings_of(episode.angle),
        "near wall": (openness <= config.near).astype(np.int64),
        "transition": _transitions(episode, config),
    }


def _transitions(episode: Episode, config: BalanceConfig) -> np.ndarray:
    """What leads to each frame, as an index of TRANSITIONS; the first frame follows nothing."""
    held = {name: episode.buttons[:-1, place].astype(bool) for place, name in enumerate(DOOM_SCHEMA.names)}
    turn = held["TURN_LEFT"] ^ held["TURN_RIGHT"]
    walk = held["MOVE_FORWARD"] ^ held["MOVE_BACKWARD"]
    strafe = held["MOVE_LEFT"] ^ held["MOVE_RIGHT"]
    slow = np.linalg.norm(np.diff(episode.position[:, :2], axis=0), axis=1) < config.collided
    # From a stand it takes two frames to walk: what has just begun is no collision.
    going = walk & _earlier(walk, 1) & _earlier(walk, 2)
    kinds = np.select(
        [going & slow, walk & turn, walk, strafe, turn],
        [TRANSITIONS.index(name) for name in ("collision", "walk and turn", "walk", "strafe", "turn")],
        TRANSITIONS.index("still"),
    )
    return np.concatenate([[TRANSITIONS.index("still")], kinds])


def _earlier(flags: np.ndarray, frames: int) -> np.ndarray:
    """The flags of so many frames before; False at the start."""
    return np.concatenate([np.zeros(frames, bool), flags])[: len(flags)]


def balance(labels: dict[str, np.ndarray], kept: np.ndarray, config: BalanceConfig) -> np.ndarray:
    """Weights float64 `[N]` with mean 1 over the `kept` frames (bool `[N]`), 0 elsewhere."""
    bins = {name: np.unique(values[kept], return_inverse=True)[1] for name, values in labels.items()}
    targets = {name: _target(name, labels[name][kept], index, config) for name, index in bins.items()}
    weight = np.ones(int(kept.sum()))
    for _ in range(ROUNDS):
        for name, index in bins.items():
            share = np.bincount(index, weight) / weight.sum()
            weight *= (targets[name] / share)[index]
        weight = np.clip(weight / weight.mean(), 1 / config.limit, config.limit)
    result = np.zeros(len(kept))
    result[kept] = weight / weight.mean()
    return result


def _target(name: str, values: np.ndarray, index: np.ndarray, config: BalanceConfig) -> np.ndarray:
    share = np.bincount(index) / len(index)
    if name == "near wall" and len(share) == len(NEAR):
        return np.array([1 - config.near_share, config.near_share])
    tempered = share ** (1 - config.evenness)
    even: np.ndarray = tempered / tempered.sum()
    return even

