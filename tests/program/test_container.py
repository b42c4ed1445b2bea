"""What is wrong below the manifest: the safetensors container, checksums, the JSON text."""

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.program import sample
from tests.support.package_builder import Stored, assemble, crc32c, pack, seal
from yanrt import _C
from yanrt.errors import PackageError


@pytest.fixture(scope="module")
def good() -> bytes:
    return pack(sample.manifest(), sample.tensors())


def refuse(data: bytes, *fragments: str) -> None:
    with pytest.raises(PackageError) as error:
        _C.Package.from_bytes(data, "bad.safetensors")
    for fragment in ("bad.safetensors", *fragments):
        assert fragment in str(error.value)


def taken_apart(good: bytes) -> tuple[dict[str, Any], bytes]:
    (size,) = struct.unpack_from("<Q", good)
    return json.loads(good[8 : 8 + size]), good[8 + size :]


def test_the_sample_is_read(good: bytes, tmp_path: Path) -> None:
    path = tmp_path / "good.safetensors"
    path.write_bytes(good)
    package = _C.Package.read(str(path))
    assert package.path == str(path)
    assert json.loads(package.manifest)["name"] == "test"


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 10, 100, 5000, -1, -1000])
def test_truncated(good: bytes, size: int) -> None:
    cut = good[:size]
    refuse(cut, "truncated" if len(cut) >= 10 else f"only {len(cut)} bytes")


@pytest.mark.parametrize("length", [2**63, 2**64 - 1, 2**64 - 8, 32 * 2**20 + 1])
def test_header_length_beyond_the_limit(good: bytes, length: int) -> None:
    refuse(struct.pack("<Q", length) + good[8:], str(length), "at most")


def test_bytes_after_the_last_tensor(good: bytes) -> None:
    refuse(good + b"\0" * 64, "belongs to nobody")


@pytest.mark.parametrize(
    ("header", "fragment"),
    [
        (b"[]", "must be an object"),
        (b"null", "must be an object"),
        (b"{", "no valid JSON"),
        (b"{} {}", "no valid JSON"),
        (b'{"a": \xff\xfe}', "no valid JSON"),
        (b'{"__metadata__": {"yanrt": "\xff"}}', "no valid JSON"),
        (b'{"a": 1e999}', "no valid JSON"),
        (b"[" * 100_000, "nested deeper than 32 levels"),
        (b'{"a":' * 1000, "nested deeper than 32 levels"),
        (b"[" + b"0," * 2_000_000 + b"0]", "more than 2000000 values"),
        (b'{"t": {}, "t": {}}', "names a key twice: 't'"),
        (b'{"": {}}', "must have 1 to 256 bytes"),
        (b"{}", "no __metadata__ 'yanrt'"),
        (b'{"__metadata__": {"yanrt": "{}"}}', "no __metadata__ 'yanrt.crc32c'"),
        (b'{"__metadata__": {"yanrt": {}}}', "must be a string"),
        (b'{"__metadata__": []}', "must be an object"),
    ],
)
def test_header_text(header: bytes, fragment: str) -> None:
    refuse(assemble(header, b""), "header" if "metadata" not in fragment else "", fragment)


TENSOR_EDITS: list[tuple[str, Any, str]] = [
    ("dtype", "F16", "'F16' cannot be stored"),
    ("dtype", 3, "must be a string"),
    ("shape", [0, 4], "must be 1 to 2147483647"),
    ("shape", [-24, -4], "'-24' is out of range"),
    ("shape", [24, 5], "f32[24, 5] takes 480"),
    ("shape", [1] * 9, "has 9 dimensions"),
    ("shape", [2**31], "'2147483648' is out of range"),
    ("shape", [2**30, 2**30, 2**30], "more than 2147483647 elements"),
    ("shape", [2**16, 2**16], "more than 2147483647 elements"),
    ("shape", [24.0, 4], "must be an integer"),
    ("data_offsets", [0], "two offsets"),
    ("data_offsets", [384, 0], "the end not before the begin"),
    ("data_offsets", [-384, 0], "'-384' is out of range"),
    ("data_offsets", [0, 2**62], "truncated"),
    ("data_offsets", [2**64 - 384, 2**64 - 1], "out of range"),
    ("data_offsets", [0, 388], "holds 388 bytes"),
    ("extra", 1, "unknown key 'extra'"),
]


@pytest.mark.parametrize(("key", "value", "fragment"), TENSOR_EDITS)
def test_tensor_entry(good: bytes, key: str, value: Any, fragment: str) -> None:
    header, data = taken_apart(good)
    header["act.weight"][key] = value
    refuse(assemble(header, data), "'act.weight'", fragment)


def test_tensor_without_shape(good: bytes) -> None:
    header, data = taken_apart(good)
    del header["act.weight"]["shape"]
    refuse(assemble(header, data), "'act.weight'", "the key 'shape' is missing")


def _moved(by: int) -> Callable[[dict[str, Any]], None]:
    def move(header: dict[str, Any]) -> None:
        begin, end = header["linear.fp8"]["data_offsets"]  # the last one: the only dtype of one byte
        header["linear.fp8"]["data_offsets"] = [begin + by, end + by]

    return move


def test_overlap(good: bytes) -> None:
    header, data = taken_apart(good)
    _moved(-4)(header)
    refuse(assemble(header, data), "tensor before it ends", "'linear.fp8'")


def test_gap(good: bytes) -> None:
    header, data = taken_apart(good)
    _moved(4)(header)
    refuse(assemble(header, data + b"\0" * 4), "unused", "'linear.fp8'")


def test_misaligned() -> None:
    entries = {
        "a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]},
        "b": {"dtype": "F32", "shape": [1], "data_offsets": [2, 6]},
    }
    refuse(seal({"format": 1}, entries, b"\0" * 6), "'b'", "starts at byte 2", "not aligned to the 4 bytes")


def test_every_flipped_bit_of_a_tensor_is_seen(good: bytes) -> None:
    header, data = taken_apart(good)
    for name, entry in header.items():
        if name != "__metadata__":
            damaged = bytearray(good)
            damaged[len(good) - len(data) + entry["data_offsets"][0]] ^= 0x10
            refuse(bytes(damaged), f"CRC32C of tensor '{name}'", "damaged")


def test_flipped_bit_of_the_manifest(good: bytes) -> None:
    refuse(good.replace(b"temporal_factor", b"temporal_fagtor", 1), "manifest's CRC32C", "damaged")


def test_boolean_tensor_of_other_bytes() -> None:
    tensors = {"flags": Stored("BOOL", np.array([0, 1, 2], np.uint8))}
    refuse(pack({**sample.manifest(), "tensors": {}}, tensors), "'flags'", "byte 2 at 2")


def test_manifest_that_is_no_object() -> None:
    manifests: list[Any] = [[], None, 7, "x"]
    for manifest in manifests:
        refuse(seal(manifest, {}, b""), "manifest: must be an object")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_files_that_cannot_be_mapped(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    for name, reason in [("absent", "No such file"), ("empty", "it is empty"), ("pipe", "regular"), (".", "regular")]:
        with pytest.raises(PackageError, match=reason):
            _C.Package.read(str(tmp_path / name))


def test_crc32c_agrees_with_an_independent_one() -> None:
    assert _C.crc32c(b"123456789") == 0xE3069283  # the check value of RFC 3720
    data = np.random.default_rng(1).integers(0, 256, 300, np.uint8).tobytes()
    for begin in range(9):
        for end in (begin, begin + 1, begin + 7, begin + 8, begin + 9, begin + 64, 299):
            assert _C.crc32c(data[begin:end]) == crc32c(data[begin:end])
