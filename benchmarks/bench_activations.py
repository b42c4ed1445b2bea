"""Dynamic against static activation scales in int8: error against eager PyTorch, and time.

    python -m benchmarks.bench_activations [NETWORK ...] [--world CHECKPOINT] [--json FILE]

Networks are those of `python -m exporters coverage`; calibrated on eight inputs, measured on a ninth. The world is a
simulator checkpoint: calibrated on its own play, measured on one call of the denoiser in the midst of other play, and
on the decoding of what it gives. Times are the best of many, in the processor time of the one thread.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

import exporters
import yanrt
from exporters.compare import held_actions
from exporters.coverage import named_arrays, worst_error
from exporters.quant import calibrate
from exporters.targets.networks import choose
from exporters.targets.sim import calibrate_sim
from python_train.common.checkpoint import load_model
from python_train.sim.frame_loop import FrameLoop
from python_train.sim.world import SimModel

SAMPLES, REPEATS = 8, 30
DEFAULT = ("UNet2DConditionModel", "AutoencoderKL.decode", "SD3Transformer2DModel", "BertModel", "ViTModel")


@dataclass
class Row:
    name: str
    activations: str
    error: float
    milliseconds: float


def _rows(name: str, expected: list[Any], export: Callable[[Path, str], None], inputs: dict[str, Any]) -> Iterator[Row]:
    for activations in ("dynamic", "static"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "m.safetensors"
            export(path, activations)
            program = yanrt.Engine(path, precision="int8", threads=1).runner().program("forward")
            times = []
            for _ in range(REPEATS):
                begin = time.thread_time()
                actual = program(**inputs)
                times.append(1e3 * (time.thread_time() - begin))
        yield Row(name, activations, worst_error(actual, expected), min(times))


def _measure(name: str, module: torch.nn.Module, kwargs: dict[str, Any], seen: Any) -> Iterator[Row]:
    with torch.no_grad():
        expected = [x.numpy() for x in pytree.tree_leaves(module(**kwargs)) if isinstance(x, Tensor)]

    def export(path: Path, activations: str) -> None:
        exporters.export(module, (), path, kwargs=kwargs, weights="f32", calibration=seen, activations=activations)

    yield from _rows(name, expected, export, named_arrays(kwargs))


def networks(names: list[str]) -> Iterator[Row]:
    for network in choose(names):
        module = network.build()
        seen = calibrate(module, [((), network.kwargs(seed=2 + i)) for i in range(SAMPLES)])
        yield from _measure(network.name, module, network.kwargs(), seen)


class _Denoise(torch.nn.Module):
    """The denoiser on a whole clip: no cache, so that the call stands alone."""

    def __init__(self, model: SimModel, levels: Tensor) -> None:
        super().__init__()
        self.denoiser = model.denoiser
        self.register_buffer("levels", levels)

    def forward(self, latents: Tensor, actions: Tensor) -> Tensor:
        y: Tensor = self.denoiser(latents, self.get_buffer("levels"), actions)
        return y


class _Decode(torch.nn.Module):
    def __init__(self, model: SimModel) -> None:
        super().__init__()
        self.vae = model.vae

    def forward(self, latent: Tensor) -> Tensor:
        """Pixels before they are rounded to bytes."""
        y: Tensor = self.vae.decode_pixels(latent * self.vae.latent_std + self.vae.latent_mean)
        return y


@torch.no_grad()
def world(checkpoint: Path) -> Iterator[Row]:
    model, _, _ = load_model(checkpoint)
    assert isinstance(model, SimModel)
    seen = calibrate_sim(model, steps=64, seed=0)
    loop = FrameLoop(model.denoiser, model.config, 1).eval()
    loop.reset(torch.tensor([99]))
    for latent, action in zip(model.start.latents[-1], model.start.actions[-1], strict=True):
        loop.append(latent[None], action[None])
    for action in held_actions(20, (1, *model.start.actions.shape[2:]), seed=99):
        made = loop.step_shift(action)
    window, actions = loop.window.clone(), loop.window_actions.clone()
    denoise = _Denoise(model, loop.levels[:: loop.evaluations])
    yield from _measure("denoiser", denoise, {"latents": window, "actions": actions}, seen)
    yield from _measure("decoder", _Decode(model), {"latent": made}, seen)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", help=f"names; {', '.join(DEFAULT)} if left out")
    parser.add_argument("--world", type=Path, help="a simulator checkpoint")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    print(f"{'network':24} {'activations':11} {'error':>9} {'ms':>8}")
    for source in (networks(arguments.networks or list(DEFAULT)), world(arguments.world) if arguments.world else ()):
        for row in source:
            print(f"{row.name:24} {row.activations:11} {row.error:9.2e} {row.milliseconds:8.3f}", flush=True)
            rows.append(row)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()
