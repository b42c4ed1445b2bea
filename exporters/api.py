"""`exporters.export`: any module with static shapes into a package of one program, "forward"."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from .ir import Module, dump
from .ir.serialize import Encoded, save
from .lower import ProgramSpec, lower
from .passes import optimize
from .quant import choose_storage, encode

# What a package without a frame loop says of frames and actions.
_NO_WORLD: dict[str, Any] = {
    "fps": 1.0,
    "frame": {"height": 1, "width": 1, "temporal_factor": 1},
    "batch": 1,
    "actions": {"buttons": []},
    "schedules": {},
    "provenance": {},
}


def export(
    module: nn.Module,
    args: tuple[Tensor, ...],
    path: str | os.PathLike[str],
    *,
    programs: dict[str, tuple[nn.Module, tuple[Tensor, ...]]] | None = None,
    weights: str = "bf16",
) -> None:
    """Writes a package from `module` and example inputs, which fix the shapes.

    The program is named "forward"; `programs` adds others, which share the tensors and buffers that have the same path.
    Buffers that a module mutates become state. `weights` is "f32", "bf16" or "fp8" (quant/storage.py). Run it by
    `yanrt.Engine(path).runner().run("forward", *arrays)`. Raises UnsupportedOpsError naming every op that has no
    lowering.
    """
    specs = {"forward": ProgramSpec(module, args)}
    specs |= {name: ProgramSpec(other, example) for name, (other, example) in (programs or {}).items()}
    write(path, lower(specs), {"name": Path(path).stem, **_NO_WORLD}, weights)


def write(
    path: str | os.PathLike[str],
    module: Module,
    manifest: dict[str, Any],
    weights: str,
    extra: dict[str, Encoded] | None = None,
    dumps: Path | None = None,
) -> None:
    """Optimizes a lowered module and saves it; `extra` tensors are no program's. With `dumps`, a text
    file of the module after every pass goes there."""
    optimize(module, after=_dumper(module, dumps) if dumps else lambda name: None)
    choose_storage(module, weights)
    encoded = {name: encode(tensor) for name, tensor in module.tensors.items()}
    save(path, module, encoded | (extra or {}), manifest)


def _dumper(module: Module, folder: Path) -> Callable[[str], None]:
    """Writes the whole module as NN-PASS.txt, numbered in the order of the passes."""
    folder.mkdir(parents=True, exist_ok=True)
    done: list[str] = []

    def write_text(name: str) -> None:
        done.append(name)
        (folder / f"{len(done):02}-{name}.txt").write_text(dump(module))

    return write_text
