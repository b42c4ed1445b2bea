"""The data set as the denoiser sees it: latents and actions, encoded once and kept in memory.

One safetensors file a split: latents float16 [N,h,w,C] (normalised), actions uint8 [N,T,A], episode int64 [N] (a clip
never crosses episodes), openness float32 [N] (how far the view is open, in depth units). Latent j of an episode stands for
frames 2j and 2j+1; its actions are the buttons held before the first of them and between the two.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from tqdm import tqdm

from ..common.precision import autocast
from ..common.seeding import numpy_rng
from ..vae import VAE
from ..vae.base import FRAMES
from .clips import ClipConfig, clip_weights, cumulative, open_split
from .curation import Curation
from .episode import Episode
from .policies import openness


def latent_actions(buttons: np.ndarray) -> np.ndarray:
    """Buttons uint8 `[N,A]` (held from frame i to i+1) -> actions of the latents uint8 `[N//2,2,A]`."""
    before = np.concatenate([np.zeros_like(buttons[:1]), buttons[:-1]])
    latents = len(buttons) // FRAMES
    actions: np.ndarray = before[: latents * FRAMES].reshape(latents, FRAMES, -1)
    return actions


@torch.no_grad()
def encode_episode(vae: VAE, episode: Episode, batch: int = 64) -> dict[str, Tensor]:
    """Latents, actions and openness of one episode, as stored but for `episode`."""
    count, device = len(episode) // FRAMES, vae.latent_mean.device
    latents = []
    for start in range(0, count, batch):
        stop = min(start + batch, count)
        frames = torch.from_numpy(episode.frames(start * FRAMES, stop * FRAMES)).to(device)
        with autocast(device):
            latents.append(vae.encode_frames(frames.reshape(stop - start, FRAMES, *frames.shape[1:])).half().cpu())
    open_frames = openness(episode.depth(0, count * FRAMES)).reshape(count, FRAMES).min(1)
    return {
        "latents": torch.cat(latents),
        "actions": torch.from_numpy(latent_actions(episode.buttons)),
        "openness": torch.from_numpy(open_frames).float(),
    }


def encode_split(vae: VAE, root: Path, split: str, out: Path, source: dict[str, Any], limit: int | None = None) -> None:
    """Encodes one split into `out`, the first `limit` episodes of it; `source` says which VAE made it."""
    parts: dict[str, list[Tensor]] = {"latents": [], "actions": [], "openness": [], "episode": []}
    episodes = dict(list(open_split(root, split).items())[:limit])
    for index, episode in tqdm(episodes.items(), desc=split, unit="episode"):
        for name, value in encode_episode(vae, episode).items():
            parts[name].append(value)
        parts["episode"].append(torch.full((len(episode) // FRAMES,), index))
    first = next(iter(episodes.values()))
    info = {"schema": first.schema.to_dict(), "fps": first.info["fps"], **source}
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: torch.cat(values) for name, values in parts.items()}, out, metadata={"source": json.dumps(info)})


class LatentSet:
    """One encoded split in memory. FileNotFoundError names the command that encodes it."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise FileNotFoundError(f"{path} is missing; encode it with `python -m python_train encode`")
        tensors = load_file(path)
        self.latents, self.actions = tensors["latents"], tensors["actions"]
        self.openness, self.episode = tensors["openness"].numpy(), tensors["episode"].numpy()
        with safe_open(path, framework="pt") as file:
            self.info: dict[str, Any] = json.loads(file.metadata()["source"])

    def size(self) -> dict[str, int]:
        return {"episodes": len(np.unique(self.episode)), "frames": FRAMES * len(self.latents)}

    def starts(self, length: int) -> np.ndarray:
        """First latents of all clips of `length` within one episode; ValueError if there is none."""
        last = len(self.episode) - length + 1
        found = np.nonzero(self.episode[: max(last, 0)] == self.episode[length - 1 :])[0]
        if not len(found):
            raise ValueError(f"no episode has {length} latents")
        return found

    def clips(self, starts: np.ndarray, length: int) -> tuple[Tensor, Tensor]:
        """Latents float32 `[B,F,h,w,C]` and actions float32 `[B,F,T,A]`."""
        index = torch.from_numpy(starts[:, None] + np.arange(length))
        return self.latents[index].float(), self.actions[index].float()


class LatentSampler:
    """Draws clips as ClipSampler does: by the same weights; (seed, step) decide, and `stream`, for which samplers of
    one run differ."""

    def __init__(self, data: LatentSet, config: ClipConfig, length: int, seed: int, *stream: int) -> None:
        self.data, self.length, self.seed, self.stream = data, length, seed, stream
        self.starts = data.starts(length)
        if config.curation:
            weights = Curation.load(config.curation).latent_weights(data.episode)
        else:
            weights = np.where(data.openness <= config.near, config.near_weight, 1.0)
        self.cumulative = cumulative(clip_weights(weights, length)[self.starts])

    def places(self, step: int, batch: int) -> np.ndarray:
        draws = numpy_rng(self.seed, step, *self.stream).random(batch)
        chosen: np.ndarray = self.starts[np.minimum(np.searchsorted(self.cumulative, draws), len(self.starts) - 1)]
        return chosen
