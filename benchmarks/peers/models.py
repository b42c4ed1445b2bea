"""The models that bench_peers.py compares the runtimes on: packages, made once into a folder.

`dit-*` are one shift-window call of Yan-Sim with random weights (a window of 4 latents, a ring of 12), in sizes that
show how cost grows; `vae-*` the product's VAE; `step` and `decode` the packaged world.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from exporters.api import export, write
from exporters.lower import ProgramSpec, lower
from exporters.quant import Storage
from exporters.targets.sim import Decode, Encode
from python_train.sim.frame_loop import FrameLoop, StepShift
from python_train.sim.model import DenoiserConfig
from python_train.sim.world import SimConfig
from python_train.vae import HybridVAEConfig
from yanrt.package import find_package


@dataclass(frozen=True)
class BenchModel:
    """A program of a package. Its weights are those that every runtime gets."""

    name: str
    package: str
    program: str


_DIT_S = DenoiserConfig(
    rows=8, columns=8, width=384, heads=6, layers=12, action_width=384, max_distance=16, scope="position"
)  # the paper's block: attention over space, to the actions, over time
_DITS: dict[str, tuple[DenoiserConfig, int]] = {  # name -> (sizes, history)
    "dit-s": (_DIT_S, 12),
    "dit-b": (replace(_DIT_S, rows=12, columns=20, width=768, heads=12, action_width=768), 12),
    "dit-s-tokens4": (replace(_DIT_S, rows=16, columns=16), 12),
    "dit-s-width2": (replace(_DIT_S, width=768, heads=12, action_width=768), 12),
    "dit-s-ring4": (replace(_DIT_S, max_distance=52), 48),
    "dit-tiny": (replace(_DIT_S, rows=2, columns=2, width=64, heads=2, layers=2, action_width=64), 12),
}
_VAES = {"192": HybridVAEConfig(height=192, width=320), "1088": HybridVAEConfig(height=1088, width=1920)}
_PACKAGED = {"step": "sim/step_shift", "decode": "vae/decode"}

DEFAULT = ("step", "decode", "dit-s", "dit-b", "vae-enc-192", "vae-dec-192", "vae-enc-1088", "vae-dec-1088")
SCALING = ("dit-s-tokens4", "dit-s-width2", "dit-s-ring4")
NAMES = (*_PACKAGED, *_DITS, *(f"vae-{part}-{size}" for size in _VAES for part in ("enc", "dec")))


def build(name: str, folder: Path) -> BenchModel:
    """Makes the package of `name` in `folder` unless it is there. ValueError for an unknown name."""
    if name in _PACKAGED:
        return BenchModel(name, find_package("doom"), _PACKAGED[name])
    makers: dict[str, Callable[[Path], None]] = {dit: lambda path, dit=dit: _dit(dit, path) for dit in _DITS}  # type: ignore[misc]
    for size in _VAES:
        makers[f"vae-enc-{size}"] = lambda path, size=size: _vae(size, Encode, path)  # type: ignore[misc]
        makers[f"vae-dec-{size}"] = lambda path, size=size: _vae(size, Decode, path)  # type: ignore[misc]
    if name not in makers:
        raise ValueError(f"unknown model {name!r}; there are {', '.join(NAMES)}")
    path = folder / f"{name}.safetensors"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        makers[name](path)
    return BenchModel(name, str(path), "forward")


def _randomize(module: nn.Module) -> None:
    """Weights of a usual size everywhere: some layers start at zero, and would make every runtime exact."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, parameter[0].numel() ** -0.5)
            else:
                parameter.add_(torch.randn_like(parameter), alpha=0.1)


def _dit(name: str, path: Path) -> None:
    config, history = _DITS[name]
    denoiser = config.build().eval()
    _randomize(denoiser)
    sim = SimConfig(denoiser=config, vae=_VAES["192"], history=history)
    loop = FrameLoop(denoiser, sim).eval()
    action = torch.zeros(1, config.actions_per_latent, config.buttons)
    with torch.no_grad():
        specs = {"forward": ProgramSpec(StepShift(loop), (action,), ("latent",))}
        module = lower(specs, rename=lambda key: key.removeprefix("loop."), seeds=("seed",))
    no_world = {"fps": 1.0, "frame": {"height": 1, "width": 1, "temporal_factor": 1}, "batch": 1}
    rest = {"actions": {"buttons": []}, "schedules": {}, "provenance": {}}
    write(path, module, {"name": name, **no_world, **rest}, Storage("f32"))


def _vae(size: str, part: type[nn.Module], path: Path) -> None:
    config = _VAES[size]
    vae = config.build().eval()
    _randomize(vae)
    if part is Encode:
        example = torch.zeros(1, 2, config.height, config.width, 3, dtype=torch.uint8)
    else:
        example = torch.zeros(1, vae.rows, vae.columns, config.channels)
    with torch.no_grad():
        export(part(vae), (example,), path, weights="f32")
