"""The trained explorer as an exploration policy: a small network in numpy, so that recording needs no torch."""

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from ..data.doom import Observation
from .sight import DECISION_FRAMES, MOVES, Sight

EXPLORER_FILE = "explorer.safetensors"
PACKED = Path(__file__).parents[1] / "resume" / EXPLORER_FILE


class ExplorerWeights:
    """Weights `0.weight`, `0.bias`, `1.weight`, ... of a chain of linear layers with tanh between them."""

    def __init__(self, path: Path) -> None:
        """FileNotFoundError names the command that trains one."""
        file = path / EXPLORER_FILE if path.is_dir() else path
        if not file.exists():
            raise FileNotFoundError(f"no explorer at {file}; train one with `python -m python_train train explorer`")
        tensors = load_file(file)
        count = len(tensors) // 2
        self.layers = [(tensors[f"{layer}.weight"], tensors[f"{layer}.bias"]) for layer in range(count)]

    def chances(self, features: np.ndarray) -> np.ndarray:
        """Probability of each of MOVES."""
        x = features
        for weight, bias in self.layers[:-1]:
            x = np.tanh(weight @ x + bias)
        weight, bias = self.layers[-1]
        logits = (weight @ x + bias).astype(np.float64)
        chances = np.exp(logits - logits.max())
        normed: np.ndarray = chances / chances.sum()
        return normed


class Explorer:
    """Draws its choices, each held for DECISION_FRAMES frames; remembers where it has been in this episode."""

    def __init__(self, rng: np.random.Generator, weights: ExplorerWeights) -> None:
        self.rng, self.weights = rng, weights
        self.sight = Sight()
        self.last: int | None = None
        self.frame = 0

    def __call__(self, seen: Observation) -> np.ndarray:
        features = self.sight.look(seen, self.last)
        if self.frame % DECISION_FRAMES == 0:
            self.last = int(self.rng.choice(len(MOVES), p=self.weights.chances(features)))
        self.frame += 1
        assert self.last is not None, "frame 0 decides"
        return MOVES[self.last].copy()
