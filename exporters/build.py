"""The road from modules to a package file: lower, optimise, store, verify, write."""

import os
from pathlib import Path

import torch
from torch import Tensor, nn

from .ir import Module, PackageInfo, dump, verify, write_package
from .lower import ProgramSpec, lower
from .passes import optimize
from .quant import store_weights


def compile_module(module: Module, weights: str, dump_dir: str | os.PathLike[str] | None = None) -> dict[str, str]:
    """Optimises a lowered module in place and narrows its weights; returns how each weight is stored.

    With `dump_dir`, the text of every program is written there after each pass.
    """
    count = 0

    def write(name: str) -> None:
        nonlocal count
        if dump_dir is not None:
            folder = Path(dump_dir)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{count:02d}_{name}.txt").write_text(dump(module))
            count += 1

    write("lowered")
    optimize(module, after=write)
    stored = store_weights(module, weights)
    verify(module)
    return stored


def export(
    module: nn.Module,
    args: tuple[Tensor, ...],
    path: str | os.PathLike[str],
    *,
    weights: str = "f32",
    name: str = "module",
    outputs: tuple[str, ...] = (),
) -> None:
    """Exports any module as a package with the single program `forward`, for `yanrt.engine.Engine(path).runner()`.

    `args` are example inputs and fix the shapes; buffers that the module mutates become state. `weights` is "f32",
    "bf16" or "fp8". Raises UnsupportedOpsError naming everything that the runtime cannot run.
    """
    with torch.no_grad():
        lowered = lower({"forward": ProgramSpec(module, args, outputs)})
    compile_module(lowered, weights)
    write_package(lowered, PackageInfo(name=name), path)
