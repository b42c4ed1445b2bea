"""The result of curation beside a data set: what each filter removed and how often each frame should be drawn."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from ..vae.base import FRAMES
from .filters import FILTERS

CURATION_FILE = "curation.safetensors"
TENSORS = ("episodes", "offsets", "removed", "weight")


class Curation:
    """`removed` uint8 [frames]: bit k is set by the k-th of FILTERS; `weight` float32 [frames], 0 where a frame is removed.
    Frames of an episode stand together, in the order of `episodes`."""

    def __init__(
        self,
        episodes: np.ndarray,
        offsets: np.ndarray,
        removed: np.ndarray,
        weight: np.ndarray,
        report: dict[str, Any],
    ) -> None:
        self.episodes, self.offsets, self.removed, self.weight = episodes, offsets, removed, weight
        self.report = report
        self._place = {int(episode): place for place, episode in enumerate(episodes)}

    @classmethod
    def load(cls, path: str | Path) -> "Curation":
        """From the file or its folder; FileNotFoundError names the command that writes it."""
        file = Path(path) / CURATION_FILE if Path(path).is_dir() else Path(path)
        if not file.exists():
            raise FileNotFoundError(f"no curation at {file}; write it with `python -m python_train curate`")
        with safe_open(file, framework="numpy") as opened:
            tensors = {name: opened.get_tensor(name) for name in TENSORS}
            return cls(**tensors, report=json.loads(opened.metadata()["report"]))

    def save(self, path: Path) -> None:
        """Atomically."""
        tensors = {name: getattr(self, name) for name in TENSORS}
        temporary = path.with_suffix(".partial")
        save_file(tensors, temporary, metadata={"report": json.dumps(self.report)})
        os.replace(temporary, path)

    def weights(self, episode: int) -> np.ndarray:
        """Weight of every frame of an episode; ValueError if it was recorded after curation."""
        if episode not in self._place:
            raise ValueError(f"episode {episode} is not in the curation of {len(self.episodes)}; curate again")
        place = self._place[episode]
        return self.weight[self.offsets[place] : self.offsets[place + 1]]

    def latent_weights(self, episode_N: np.ndarray) -> np.ndarray:
        """Of every latent, by its episode: the mean of its frames, 0 if one of them is removed."""
        weights = np.zeros(len(episode_N))
        for episode in np.unique(episode_N):
            here = np.flatnonzero(episode_N == episode)
            pairs = self.weights(int(episode))[: len(here) * FRAMES].reshape(-1, FRAMES)
            weights[here] = np.where((pairs > 0).all(1), pairs.mean(1), 0)
        return weights

    @property
    def removed_shares(self) -> dict[str, float]:
        """Share of the frames that each filter removed; "any" of them."""
        shares = {name: float((self.removed >> bit & 1).mean()) for bit, name in enumerate(FILTERS)}
        return shares | {"any": float((self.removed > 0).mean())}
