"""PPO (stable-baselines3) for the explorer. It takes minutes on one core, so it starts anew when it is interrupted; the
weights of the moment are written every `save_every` decisions."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

from .config import ExplorerTrainConfig
from .env import ExploreEnv
from .policy import EXPLORER_FILE


class _Keep(BaseCallback):
    """Writes weights and the curve: mean cells, states and return of the episodes since the last row."""

    def __init__(self, config: ExplorerTrainConfig, folder: Path) -> None:
        super().__init__()
        self.config, self.folder = config, folder
        self.ended: list[dict[str, Any]] = []
        self.curve: list[dict[str, float]] = []
        self.began = time.monotonic()

    def _on_step(self) -> bool:
        for info in self.locals["infos"]:
            if "episode" in info:
                self.ended.append({"cells": info["cells"], "states": info["states"], "return": info["episode"]["r"]})
        if self.num_timesteps % self.config.save_every == 0:
            self._write()
        return True

    def _on_training_end(self) -> None:
        if self.num_timesteps % self.config.save_every:
            self._write()

    def _write(self) -> None:
        count = max(1, len(self.ended))
        means = {name: sum(row[name] for row in self.ended) / count for name in ("cells", "states", "return")}
        seconds = time.monotonic() - self.began
        row = {"decisions": self.num_timesteps, "seconds": seconds, "episodes": len(self.ended)} | means
        self.curve.append({name: round(float(value), 2) for name, value in row.items()})
        self.ended = []
        print(self.curve[-1], flush=True)
        (self.folder / "curve.json").write_text(json.dumps(self.curve, indent=1))
        save_explorer(self.model, self.config, self.folder / EXPLORER_FILE)


def save_explorer(model: Any, config: ExplorerTrainConfig, path: Path) -> None:
    """The layers that choose, without the critic, as `ExplorerWeights` reads them."""
    policy = model.policy
    layers = [*policy.mlp_extractor.policy_net, policy.action_net]
    linear = [layer for layer in layers if isinstance(layer, torch.nn.Linear)]
    tensors = {
        f"{place}.{name}": getattr(layer, name).detach().contiguous()
        for place, layer in enumerate(linear)
        for name in ("weight", "bias")
    }
    save_file(tensors, path, metadata={"config": json.dumps(asdict(config))})


def train_explorer(config: ExplorerTrainConfig, folder: Path) -> list[dict[str, float]]:
    """Trains into `folder` and returns the curve."""
    folder.mkdir(parents=True, exist_ok=True)
    env = ExploreEnv(config.game, config.episode_decisions)
    model = PPO(
        "MlpPolicy",
        env,
        learning_rate=config.lr,
        n_steps=config.horizon,
        batch_size=config.batch,
        n_epochs=config.epochs,
        gamma=config.gamma,
        ent_coef=config.entropy,
        policy_kwargs={"net_arch": list(config.hidden)},
        seed=config.seed,
        device="cpu",
    )
    keep = _Keep(config, folder)
    model.learn(config.decisions, callback=keep)
    env.close()
    return keep.curve
