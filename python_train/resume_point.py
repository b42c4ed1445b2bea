"""Resume points: weights small enough to keep in git, from which a later machine trains on.

A run's own `resume.pt` holds optimizer state and goes with the machine. A resume point holds the averaged weights in
bfloat16 alone, a file a network: training that starts from it begins a new schedule at full rate.
"""

from pathlib import Path

import torch

from .common.checkpoint import load_model, save_model
from .sim import SimModel


def write_resume_point(checkpoint: str | Path, out: Path) -> list[Path]:
    """Writes `vae.safetensors` and `denoiser.safetensors` of a simulator checkpoint to `out` and returns their paths.

    TypeError for another kind of checkpoint.
    """
    model, config, metadata = load_model(checkpoint)
    if not isinstance(model, SimModel):
        raise TypeError(
            f"{checkpoint} holds a {type(model).__name__}; a resume point is made of a simulator checkpoint"
        )
    files = []
    for name, part, part_config in (("vae", model.vae, config.vae), ("denoiser", model.denoiser, config.denoiser)):
        files.append(out / f"{name}.safetensors")
        save_model(files[-1], part, part_config, metadata | {"kind": name}, torch.bfloat16)
    return files
