"""What curation must know of every frame. Pictures are decoded at an eighth of their size: an eighth of the work, and fine
texture, which no threshold should depend on, is gone."""

import io

import numpy as np
from PIL import Image

from .episode import Episode
from .policies import openness

REDUCED = 8


def measure_episode(episode: Episode) -> dict[str, np.ndarray]:
    """float32 `[N]` each: `variance` of the colours of a frame (0..255 squared, mean over channels), `change` from the
    frame before (mean absolute difference; 0 for the first) and `openness` (depth units)."""
    small = np.stack([np.asarray(picture) for picture in _small_pictures(episode)]).astype(np.float32)
    change = np.abs(np.diff(small, axis=0, prepend=small[:1])).mean((1, 2, 3))
    return {
        "variance": small.var((1, 2)).mean(-1),
        "change": change,
        "openness": openness(episode.depth(0, len(episode))).astype(np.float32),
    }


def _small_pictures(episode: Episode) -> list[Image.Image]:
    pictures: list[Image.Image] = []
    for blob in episode.jpegs(0, len(episode)):
        picture = Image.open(io.BytesIO(blob))
        picture.draft("RGB", (picture.width // REDUCED, picture.height // REDUCED))
        pictures.append(picture)
    return pictures
