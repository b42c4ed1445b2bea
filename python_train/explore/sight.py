"""What the explorer knows when it decides: the depth before it, where around it it has been, and its last choice."""

import numpy as np
from PIL import Image

from ..data.doom import DOOM_SCHEMA, Observation
from ..data.places import CELL, HEADINGS, cells_of, headings_of

DECISION_FRAMES = 2  # frames that a choice is held: 8.75 decisions a second, as the paper's agent acts at 10 Hz
MOVES = tuple(
    DOOM_SCHEMA.vector(held)
    for held in (
        ("MOVE_FORWARD",),
        ("MOVE_FORWARD", "TURN_LEFT"),
        ("MOVE_FORWARD", "TURN_RIGHT"),
        ("MOVE_FORWARD", "MOVE_LEFT"),
        ("MOVE_FORWARD", "MOVE_RIGHT"),
        ("TURN_LEFT",),
        ("TURN_RIGHT",),
        ("MOVE_BACKWARD",),
        ("MOVE_LEFT",),
        ("MOVE_RIGHT",),
    )
)

_ROWS, _COLUMNS = 5, 32
_REACH = (1, 2, 3)  # cells
FEATURES = _ROWS * _COLUMNS + HEADINGS * len(_REACH) + len(MOVES)


class Sight:
    """The memory of one episode. `look` takes a state in and returns what the policy sees, float32 `[FEATURES]`."""

    def __init__(self) -> None:
        self.cells: set[tuple[int, int]] = set()
        self.states: set[tuple[int, int, int]] = set()  # cell and heading

    def look(self, seen: Observation, last: int | None) -> np.ndarray:
        """`last` is the index in MOVES of the choice before; None at the start."""
        x, y = (int(value) for value in cells_of(np.array([seen.position]))[0])
        self.cells.add((x, y))
        self.states.add((x, y, int(headings_of(np.array([seen.angle]))[0])))
        choice = np.zeros(len(MOVES), np.float32)
        if last is not None:
            choice[last] = 1
        return np.concatenate([_depth(seen.depth), self._been(seen), choice])

    def _been(self, seen: Observation) -> np.ndarray:
        """1 for each cell already visited, by direction from the heading on and by distance."""
        turn = np.radians(seen.angle + np.arange(HEADINGS) * (360 / HEADINGS))
        steps = np.stack([np.cos(turn), np.sin(turn)], 1)[:, None] * np.array(_REACH)[:, None] * CELL
        around = cells_of(np.array(seen.position[:2]) + steps.reshape(-1, 2))
        return np.array([(int(x), int(y)) in self.cells for x, y in around], np.float32)


def _depth(depth: np.ndarray) -> np.ndarray:
    """The band about eye level, reduced to 5x32 values in [0, 1]."""
    height = depth.shape[0]
    band = Image.fromarray(depth[int(height * 0.3) : int(height * 0.8)])
    small = np.asarray(band.resize((_COLUMNS, _ROWS), Image.Resampling.BOX), np.float32)
    return np.minimum(small / 40, 1).reshape(-1)
