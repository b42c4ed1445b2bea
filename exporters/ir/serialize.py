"""Writes a module as a package (docs/package.md). The layout is safetensors'; values are numbered as they appear."""

import json
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yanrt import _C

from .program import Module, Program, State, Value

_ALIGNMENT = 64
_FILE_DTYPES = {"float32": "F32", "int64": "I64", "int32": "I32", "uint8": "U8", "bool": "BOOL"}


@dataclass(frozen=True)
class Encoded:
    """A tensor as the file holds it: `dtype` is safetensors' name; `scale` f32 [N] for F8_E4M3; `input_peak` of weights
    whose activations have a static scale, else 0."""

    dtype: str
    shape: tuple[int, ...]
    raw: bytes
    scale: NDArray[np.float32] | None = None
    input_peak: float = 0.0


def plain(array: NDArray[Any]) -> Encoded:
    """An array stored as it is."""
    return Encoded(_FILE_DTYPES[array.dtype.name], array.shape, np.ascontiguousarray(array).tobytes())


def save(
    path: str | os.PathLike[str], module: Module, encoded: Mapping[str, Encoded], manifest: dict[str, Any]
) -> None:
    """Writes `module` with its tensors in the given encodings; `manifest` brings name, fps, schedules and the like.

    The file appears whole or not at all.
    """
    files, described = _tensors(encoded)
    manifest = {
        "format": 1,
        **manifest,
        "tensors": described,
        "state": {name: _state(state) for name, state in module.states.items()},
        "programs": {name: _program(program) for name, program in module.programs.items()},
    }
    text = json.dumps(manifest)
    header: dict[str, Any] = {"__metadata__": {"yanrt": text, "yanrt.crc32c": f"{_C.crc32c(text.encode()):08x}"}}
    offset = 0
    for name, tensor in files:
        header[name] = {
            "dtype": tensor.dtype,
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + len(tensor.raw)],
        }
        offset += len(tensor.raw)
    head = json.dumps(header).encode()
    head += b" " * (-(len(head) + 8) % _ALIGNMENT)
    temporary = Path(f"{os.fspath(path)}.partial")
    temporary.parent.mkdir(parents=True, exist_ok=True)
    with temporary.open("wb") as file:
        file.write(struct.pack("<Q", len(head)) + head)
        for _, tensor in files:
            file.write(tensor.raw)
    os.replace(temporary, path)


def _tensors(encoded: Mapping[str, Encoded]) -> tuple[list[tuple[str, Encoded]], dict[str, dict[str, Any]]]:
    """Tensors in file order (wide elements first keeps all of them aligned) and what the manifest says of each."""
    files = dict(encoded)
    described: dict[str, dict[str, Any]] = {}
    for name, tensor in encoded.items():
        described[name] = {"crc32c": f"{_C.crc32c(tensor.raw):08x}"}
        if tensor.input_peak > 0:
            described[name]["input_peak"] = tensor.input_peak
        if tensor.scale is not None:
            scale = f"{name}.scale"
            files[scale] = plain(tensor.scale)
            described[name]["scale"] = scale
            described[scale] = {"crc32c": f"{_C.crc32c(files[scale].raw):08x}"}
    width = {"I64": 8, "F32": 4, "I32": 4, "BF16": 2}
    return sorted(files.items(), key=lambda item: -width.get(item[1].dtype, 1)), described


def _state(state: State) -> dict[str, Any]:
    entry: dict[str, Any] = {"dtype": state.dtype, "shape": list(state.shape), "kind": state.kind}
    return entry | ({"role": state.role} if state.role else {}) | ({"init": state.init} if state.init else {})


def _program(program: Program) -> dict[str, Any]:
    values: list[dict[str, Any]] = []
    index: dict[Value, int] = {}

    def number(value: Value | None) -> int:
        if value is None:
            return -1
        if value not in index:
            index[value] = len(values)
            origin: dict[str, Any] = {str(value.source): value.name} if value.source in ("tensor", "state") else {}
            values.append({"dtype": value.dtype, "shape": list(value.shape), **origin})
        return index[value]

    inputs = [{"name": name, "value": number(value)} for name, value in program.inputs.items()]
    ops = [
        {
            "op": op.name,
            "in": [number(value) for value in op.inputs],
            "out": [number(value) for value in op.outputs],
            "attrs": op.attrs,
            "source": op.source,
        }
        for op in program.ops
    ]
    outputs = [{"name": name, "value": number(value)} for name, value in program.outputs.items()]
    updates = [{"state": name, "value": number(value)} for name, value in program.updates.items()]
    return {"inputs": inputs, "outputs": outputs, "updates": updates, "values": values, "ops": ops}
