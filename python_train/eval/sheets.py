"""Contact sheets: rows of frames in one picture."""

import numpy as np
from torch import Tensor


def sheet(rows: list[Tensor], gap: int = 2) -> np.ndarray:
    """Rows of uint8 frames `[n,H,W,3]` -> one uint8 picture, with thin black lines between frames."""
    lines = []
    for row in rows:
        frames = row.cpu().numpy()
        padded = np.pad(frames, ((0, 0), (0, gap), (0, gap), (0, 0)))
        lines.append(np.concatenate(list(padded), axis=1))
    width = max(line.shape[1] for line in lines)
    return np.concatenate([np.pad(line, ((0, 0), (0, width - line.shape[1]), (0, 0))) for line in lines])
