"""Writes packages (docs/package.md) with numpy and json alone: nothing here is shared with the code under test."""

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Checksum = Callable[[bytes], int]

_NUMPY_DTYPES = {"float32": "F32", "int64": "I64", "int32": "I32", "uint8": "U8", "bool": "BOOL"}


@dataclass(frozen=True)
class Stored:
    """A tensor as the file holds it: `dtype` as safetensors names it, BF16 in a uint16 and F8_E4M3 in a uint8 array."""

    dtype: str
    array: NDArray[Any]


def bf16(array: NDArray[np.float32]) -> Stored:
    """Finite f32 values as bfloat16, rounded to nearest even."""
    bits = np.ascontiguousarray(array, np.float32).view(np.uint32)
    return Stored("BF16", ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16))


@cache
def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


def crc32c(data: bytes) -> int:
    """CRC32C (RFC 3720), byte by byte: an independent twin of csrc/core/crc32c.cpp."""
    table, crc = _crc_table(), 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def assemble(header: Mapping[str, Any] | bytes, data: bytes) -> bytes:
    """The bytes of a safetensors file, the header padded so that the data starts at a multiple of 64."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += b" " * (-(len(text) + 8) % 64)
    return struct.pack("<Q", len(text)) + text + data


def pack(
    manifest: Mapping[str, Any], tensors: Mapping[str, Stored | NDArray[Any]] = {}, checksum: Checksum = crc32c
) -> bytes:
    """A package. `manifest["tensors"]` need not name the tensors: what it lacks is added, checksums included."""
    described: dict[str, dict[str, Any]] = {name: dict(entry) for name, entry in manifest.get("tensors", {}).items()}
    entries: dict[str, Any] = {}
    data = b""
    stored = {n: t if isinstance(t, Stored) else Stored(_NUMPY_DTYPES[t.dtype.name], t) for n, t in tensors.items()}
    for name, tensor in sorted(stored.items(), key=lambda item: -item[1].array.itemsize):  # keeps all of them aligned
        raw = np.ascontiguousarray(tensor.array).tobytes()
        offsets = [len(data), len(data) + len(raw)]
        entries[name] = {"dtype": tensor.dtype, "shape": list(tensor.array.shape), "data_offsets": offsets}
        described.setdefault(name, {}).setdefault("crc32c", f"{checksum(raw):08x}")
        data += raw
    return seal({**manifest, "tensors": described}, entries, data, checksum)


def seal(manifest: Any, entries: Mapping[str, Any], data: bytes, checksum: Checksum = crc32c) -> bytes:
    """A package of this very manifest and these safetensors entries, the manifest's checksum made valid."""
    text = json.dumps(manifest)
    metadata = {"yanrt": text, "yanrt.crc32c": f"{checksum(text.encode()):08x}"}
    return assemble({"__metadata__": metadata, **entries}, data)


def bare_manifest(programs: Mapping[str, Any], states: Mapping[str, Any] = {}) -> dict[str, Any]:
    """A manifest of programs and state without schedules: enough for `Engine` and `Runner`."""
    return {
        "format": 1,
        "name": "test",
        "fps": 20.0,
        "frame": {"height": 4, "width": 6, "temporal_factor": 2},
        "batch": 1,
        "actions": {"buttons": [{"name": "FORWARD", "key": "KeyW"}, {"name": "LEFT", "key": "KeyA"}]},
        "tensors": {},
        "state": dict(states),
        "programs": dict(programs),
        "schedules": {},
        "provenance": {},
    }


class ProgramBuilder:
    """Collects the values and ops of one program; the methods return indices of values."""

    def __init__(self) -> None:
        self.values: list[dict[str, Any]] = []
        self.ops: list[dict[str, Any]] = []
        self.inputs: list[dict[str, Any]] = []
        self.outputs: list[dict[str, Any]] = []
        self.updates: list[dict[str, Any]] = []

    def value(self, dtype: str, shape: Sequence[int], **source: str) -> int:
        """A value; `tensor=NAME` or `state=NAME` says where it comes from."""
        self.values.append({"dtype": dtype, "shape": list(shape), **source})
        return len(self.values) - 1

    def input(self, name: str, dtype: str, shape: Sequence[int]) -> int:
        self.inputs.append({"name": name, "value": self.value(dtype, shape)})
        return len(self.values) - 1

    def op(self, name: str, inputs: Sequence[int], dtype: str, shape: Sequence[int], /, **attrs: Any) -> int:
        """Adds an op with one output of this dtype and shape."""
        out = self.value(dtype, shape)
        entry = {"op": name, "in": list(inputs), "out": [out], "attrs": attrs, "source": f"test.{name}"}
        self.ops.append(entry)
        return out

    def output(self, name: str, value: int) -> None:
        self.outputs.append({"name": name, "value": value})

    def update(self, state: str, value: int) -> None:
        self.updates.append({"state": state, "value": value})

    def build(self) -> dict[str, Any]:
        """The program as the manifest holds it."""
        ports = {"inputs": self.inputs, "outputs": self.outputs, "updates": self.updates}
        return {**ports, "values": self.values, "ops": self.ops}
