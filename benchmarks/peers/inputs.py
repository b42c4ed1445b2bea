"""Inputs of a model: the same numbers as arguments for the peers and as state for the runtime."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from python_train import ops  # noqa: F401  registers yanrt::randn
from yanrt.engine import Runner

from .program_module import ProgramModule

Arrays = dict[str, NDArray[Any]]
SEED = 5


def example_arrays(module: ProgramModule) -> Arrays:
    """Random arrays for every input of `module`, with a full ring: latents, keys and values of unit variance."""
    rng = np.random.default_rng(0)
    arrays: Arrays = {}
    for name, (dtype, shape) in module.inputs.items():
        if name.startswith("noise."):
            counter = torch.tensor([_next_frame(module)])
            arrays[name] = torch.ops.yanrt.randn(torch.tensor([SEED]), counter, list(shape)).numpy()
        elif dtype == "u8":
            arrays[name] = rng.integers(0, 256, shape, np.uint8)
        elif "action" in name:
            arrays[name] = (rng.random(shape) < 0.3).astype(np.float32)
        else:
            arrays[name] = rng.standard_normal(shape).astype(np.float32)
    return arrays


def _next_frame(module: ProgramModule) -> int:
    """Index of the next latent at which the ring has just filled: its slots then lie in order of time (frame_loop.py:
    the window starts at `next - (W - 1)`)."""
    histories = [shape[1] for name, (_, shape) in module.inputs.items() if name.startswith("past.")]
    window = module.inputs["window"][1][1]
    return int(histories[0] + window - 1)


def set_state(runner: Runner, module: ProgramModule, arrays: Arrays) -> None:
    """Puts `arrays` into the runtime: what is state there."""
    states = set(runner.state)
    for name, array in arrays.items():
        if name.startswith("past."):
            ring = runner.state[name.removeprefix("past.")]
            ring[:, : array.shape[1]] = array
            runner.state[name.removeprefix("past.")] = ring
        elif name in states:
            runner.state[name] = array
    if not any(name.startswith("past.") for name in module.inputs):
        return  # a program that has no history: its package may have one
    if "next" in states:
        runner.state["next"] = np.array([_next_frame(module)])
        runner.state["seed"] = np.array([SEED])
    if "first_valid" in states:  # where `append` is in the package too; else it is the constant 0
        runner.state["first_valid"] = np.array([0])


def ports(module: ProgramModule, arrays: Arrays) -> list[NDArray[Any]]:
    """The arrays that are inputs of the program, in its order."""
    described = module.package.manifest["programs"]
    program = next(p for p in described.values() if p["values"] is module.values)
    return [arrays[port["name"]] for port in program["inputs"]]
