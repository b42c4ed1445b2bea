"""Mutations of a package: of its bytes, of the container's header, and of the manifest with valid checksums."""

import json
import random
import struct
from collections.abc import Callable
from typing import Any

from tests.support.package_builder import assemble, seal
from yanrt import _C

NUMBERS = [
    -(2**63),
    -(2**31),
    -2,
    -1,
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    16,
    24,
    255,
    256,
    2**31 - 1,
    2**31,
    2**62,
    2**63 - 1,
]
OTHERS: list[Any] = [None, True, 0.5, -1.0, 1e300, 2**64 - 1, "", "f32", [], {}, [1, 2], {"a": 1}]


def containers(node: Any) -> list[Any]:
    """Every object and list of a JSON value that is not empty."""
    found: list[Any] = []
    if isinstance(node, dict | list) and node:
        found.append(node)
        for child in node.values() if isinstance(node, dict) else node:
            found += containers(child)
    return found


def strings(node: Any) -> list[str]:
    """Every string of a JSON value: names that mean something somewhere."""
    if isinstance(node, str):
        return [node]
    if isinstance(node, dict | list):
        return [s for child in (node.values() if isinstance(node, dict) else node) for s in strings(child)]
    return []


class Mutator:
    """Mutates one good package. The same seed gives the same packages."""

    def __init__(self, package: bytes, seed: int) -> None:
        self.package = package
        self.random = random.Random(seed)
        (size,) = struct.unpack_from("<Q", package)
        header = json.loads(package[8 : 8 + size])
        self.data = package[8 + size :]
        self.manifest = header.pop("__metadata__")["yanrt"]
        self.entries = json.dumps(header)
        self.words = sorted(set(strings(json.loads(self.manifest))))

    def next(self) -> bytes:
        kinds: list[Callable[[], bytes]] = [self.flip, self.cut, self.splice, self.change_header]
        return self.random.choices([*kinds, self.change_manifest], [2, 1, 1, 3, 13])[0]()

    def flip(self) -> bytes:
        out = bytearray(self.package)
        for _ in range(self.random.randint(1, 8)):
            out[self.random.randrange(len(out))] ^= 1 << self.random.randrange(8)
        return bytes(out)

    def cut(self) -> bytes:
        return self.package[: self.random.randrange(len(self.package))]

    def splice(self) -> bytes:
        source, size = self.random.randrange(len(self.package)), self.random.randrange(1, 200)
        at = self.random.randrange(len(self.package))
        inserted = self.package[source : source + size]
        return self.package[:at] + inserted + self.package[at + self.random.choice([0, len(inserted)]) :]

    def change_header(self) -> bytes:
        entries = json.loads(self.entries)
        self.change(entries)
        if self.random.random() < 0.1:
            return assemble(entries, self.data)
        return seal(json.loads(self.manifest), entries, self.data, _C.crc32c)

    def change_manifest(self) -> bytes:
        manifest = json.loads(self.manifest)
        ops = [op for program in manifest["programs"].values() for op in program["ops"]]
        for _ in range(self.random.choice([1, 1, 1, 1, 2, 3])):
            # Half of the changes go to attributes and operands: what kernels would have to suffer from.
            self.change(self.random.choice(ops) if self.random.random() < 0.5 else manifest)
        return seal(manifest, json.loads(self.entries), self.data, _C.crc32c)

    def change(self, root: Any) -> None:
        """Changes one random member below `root`, in place."""
        nodes = containers(root)
        if not nodes:
            return  # an earlier change emptied it
        node = self.random.choice(nodes)
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key, other = self.random.choice(keys), self.random.choice(keys)
        action = self.random.randrange(10)
        if action == 0:
            del node[key]
        elif action == 1:
            node[key], node[other] = node[other], node[key]
        elif action == 2:
            node[key] = self.random.choice(OTHERS)
        elif action == 3 and isinstance(node, list):
            node.insert(key, node[other])
        else:
            node[key] = self.similar(node[key])

    def similar(self, value: Any) -> Any:
        """Another value of the same type, so that the type checks pass."""
        if isinstance(value, bool) or value is None:
            return self.random.choice(OTHERS)
        if isinstance(value, int):
            return self.random.choice([value + 1, value - 1, value * 2, value // 2, self.random.choice(NUMBERS)])
        if isinstance(value, float):
            return self.random.choice([-value, value * 1e30, 0.0, 1e300])
        if isinstance(value, str):
            return self.random.choice(self.words)
        return self.random.choice(containers(value) or OTHERS)
