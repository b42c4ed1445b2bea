"""Checkpoints without pickle.

A run's folder holds `model.safetensors` (EMA weights; config and metadata as JSON in the header: all that exporters and
tools read) and `resume.pt` (weights, optimizer state and step for the run to go on; read with `weights_only`).
"""

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from ..config import from_dict, to_dict

MODEL_FILE = "model.safetensors"
RESUME_FILE = "resume.pt"


def model_file(path: str | Path) -> Path:
    """The weights file of a run's folder, or the path itself; FileNotFoundError names the remedy."""
    path = Path(path)
    file = path / MODEL_FILE if path.is_dir() else path
    if not file.exists():
        raise FileNotFoundError(f"no checkpoint at {file}; train one with `python -m python_train train`")
    return file


def save_model(
    path: Path, model: nn.Module, config: Any, metadata: dict[str, Any], floats: torch.dtype = torch.float32
) -> None:
    """Writes the model's state dict atomically with the config that rebuilds it; weights are stored as `floats`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {name: value.detach().contiguous().cpu() for name, value in model.state_dict().items()}
    tensors = {name: value.to(floats) if value.is_floating_point() else value for name, value in state.items()}
    header = {"config": json.dumps(to_dict(config)), "metadata": json.dumps(metadata)}
    temporary = path.with_suffix(".partial")
    save_file(tensors, temporary, metadata=header)
    os.replace(temporary, path)


def read_header(path: str | Path) -> tuple[Any, dict[str, Any]]:
    """Config and metadata of a checkpoint, without its weights."""
    # Importing the families registers their config classes.
    from .. import sim, vae  # noqa: F401

    with safe_open(model_file(path), framework="pt") as file:
        header = file.metadata()
    return from_dict(json.loads(header["config"])), json.loads(header["metadata"])


def load_model(path: str | Path) -> tuple[nn.Module, Any, dict[str, Any]]:
    """Loads a checkpoint: (module in eval mode with EMA weights, its config, its metadata).

    A VAE checkpoint gives a `vae.VAE`, a simulator checkpoint a `sim.SimModel` (denoiser, VAE and start clips), a
    denoiser's part of a resume point a `sim.Denoiser`. Weights are float32, however they were stored.
    """
    config, metadata = read_header(path)
    model = config.build()
    model.load_state_dict(load_file(model_file(path)))
    return model.eval(), config, metadata


def save_resume(folder: Path, state: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / (RESUME_FILE + ".partial")
    torch.save(state, temporary)
    os.replace(temporary, folder / RESUME_FILE)


def load_resume(folder: Path) -> dict[str, Any] | None:
    """State of an interrupted run, or None. Tensors and plain values only: `weights_only` refuses anything else."""
    path = folder / RESUME_FILE
    state: dict[str, Any] | None = torch.load(path, weights_only=True, map_location="cpu") if path.exists() else None
    return state
