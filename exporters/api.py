"""`exporters.export`: any module with static shapes into a package (docs/export.md)."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from .ir import Module, dump
from .ir.serialize import Encoded, save
from .lower import ProgramSpec, lower
from .passes import optimize
from .quant import Calibration, Storage, choose_storage, encode

# What a package without a frame loop says of frames and actions.
_NO_WORLD: dict[str, Any] = {
    "fps": 1.0,
    "frame": {"height": 1, "width": 1, "temporal_factor": 1},
    "batch": 1,
    "actions": {"buttons": []},
    "schedules": {},
    "provenance": {},
}

# A module, or a method of the exported module; its arguments; perhaps its keyword arguments.
Function = tuple[Callable[..., Any], tuple[Any, ...]] | tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


def export(
    module: nn.Module,
    args: tuple[Any, ...] | None,
    path: str | os.PathLike[str],
    *,
    kwargs: dict[str, Any] | None = None,
    programs: Mapping[str, Function] | None = None,
    weights: str = "bf16",
    keep: tuple[str, ...] = (),
    calibration: Calibration | None = None,
    activations: str = "dynamic",
) -> Module:
    """Writes a package from `module` and example arguments, which fix the shapes.

    The program is named "forward" (none, if `args` is None); its inputs are named as the parameters of the module's
    forward. `programs` adds others: each is `(function, args)` or `(function, args, kwargs)`, where the function is a
    method of `module`, `module` itself at another size, or another module. Parameters and buffers with one path are
    stored once. Buffers that a function mutates become state, shared by all programs.

    Arguments may hold tensors in tuples, lists and dictionaries; other values (None, numbers) are fixed in the program.
    `weights` is "f32", "bf16" or "fp8"; under "fp8", layers whose path matches a pattern of `keep` ("blocks.0.*") stay
    bf16 (quant/storage.py), and `calibration` chooses the scales of the others (quant/calibrate.py). `activations`
    "static" stores the largest magnitudes that the calibration saw too: precisions that quantise activations then scale
    all rows by them, "dynamic" each row by its own.

    Run it by `yanrt.Engine(path).runner().program("forward")(*arrays)`.

    Returns the optimized programs, for tools. Raises UnsupportedOpsError naming every op that has no lowering,
    DynamicModelError if what the module does depends on the values of tensors.
    """
    specs = {} if args is None else {"forward": ProgramSpec(module, args, keywords=kwargs or {})}
    specs |= {name: _spec(module, *function) for name, function in (programs or {}).items()}
    if not specs:
        raise ValueError("nothing to export: give `args`, or functions in `programs`")
    lowered = lower(specs)
    storage = Storage(weights, keep, calibration, activations)
    write(path, lowered, {"name": Path(path).stem, **_NO_WORLD}, storage)
    return lowered


class _Method(nn.Module):
    """A method of a module as a `forward`, with the names of its parameters."""

    def __init__(self, module: nn.Module, method: Callable[..., Any]) -> None:
        super().__init__()
        self.module = module
        self.forward = method


def _spec(
    module: nn.Module, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any] | None = None
) -> ProgramSpec:
    if isinstance(function, nn.Module):
        return ProgramSpec(function, args, keywords=kwargs or {})
    owner = getattr(function, "__self__", module)
    return ProgramSpec(_Method(owner, function), args, keywords=kwargs or {}, prefix="module.")


def write(
    path: str | os.PathLike[str],
    module: Module,
    manifest: dict[str, Any],
    storage: Storage,
    extra: dict[str, Encoded] | None = None,
    dumps: Path | None = None,
) -> None:
    """Optimizes a lowered module and saves it; `extra` tensors are no program's. With `dumps`, a text
    file of the module after every pass goes there."""
    optimize(module, after=_dumper(module, dumps) if dumps else lambda name: None)
    choose_storage(module, storage)
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
