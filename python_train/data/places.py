"""Where the player has been, in cells of the map and headings: the unit of coverage, of balance and of reward."""

import numpy as np

CELL = 64.0  # map units
HEADINGS = 8


def cells_of(position_N3: np.ndarray) -> np.ndarray:
    """Cell of each position, int64 `[N,2]`."""
    return np.floor(position_N3[:, :2] / CELL).astype(np.int64)


def headings_of(angle_N: np.ndarray) -> np.ndarray:
    """Heading 0..HEADINGS-1 of each angle in degrees, int64 `[N]`."""
    return (angle_N % 360 // (360 / HEADINGS)).astype(np.int64)


def coverage(position_N3: np.ndarray, angle_N: np.ndarray) -> dict[str, int]:
    """How many cells, and cells with headings, were visited."""
    cells = cells_of(position_N3)
    states = np.concatenate([cells, headings_of(angle_N)[:, None]], 1)
    return {"cells": len(np.unique(cells, axis=0)), "states": len(np.unique(states, axis=0))}
