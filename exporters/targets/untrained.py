"""A simulator with random weights as a package: for estimates and timings of a configuration before it is trained."""

import os
from pathlib import Path

import torch

from python_train.configs import RUNS

from ..quant import Storage
from .sim import write_sim

_FPS = 60.0
_KEYS = ("KeyW", "KeyS", "KeyA", "KeyD", "Space", "KeyC", "ArrowLeft", "ArrowRight")


def stir(model: torch.nn.Module) -> None:
    """Adds noise to every parameter. Gates and last layers begin at zero, so that a model fresh from its constructor
    adds nothing to its input: no mistake in the layers before them would show."""
    with torch.no_grad():
        for parameter in model.parameters():
            inputs = parameter[0].numel() if parameter.ndim > 1 else 100
            parameter.add_(torch.randn_like(parameter), alpha=0.5 / inputs**0.5)


def export_untrained(config: str, path: str | os.PathLike[str], weights: str = "fp8") -> None:
    """Writes the package of a run of python_train/configs; its buttons are BUTTON_0, BUTTON_1, ..."""
    run = RUNS[config].sim()
    torch.manual_seed(0)
    model = run.model.build().eval()
    stir(model)
    count = run.model.denoiser.buttons
    keys = [*_KEYS, *(f"F{n}" for n in range(1, 1 + max(0, count - len(_KEYS))))]
    buttons = [{"name": f"BUTTON_{index}", "key": keys[index]} for index in range(count)]
    metadata = {"fps": _FPS, "schema": {"buttons": buttons}, "kind": "untrained", "config": config}
    write_sim(model, metadata, Path(path), Storage(weights))
