"""Packages: one .safetensors file each (docs/package.md), found by the name of a packaged world or by path."""

import os
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yanrt import _C
from yanrt.action import ActionSchema, Button
from yanrt.errors import ArgumentError

_MODELS = os.path.join(os.path.dirname(__file__), "models")
_SUFFIX = ".safetensors"


def packaged_models() -> list[str]:
    """Names of the worlds that came with this installation."""
    return sorted(name.removesuffix(_SUFFIX) for name in os.listdir(_MODELS) if name.endswith(_SUFFIX))


def find_package(model: str | os.PathLike[str]) -> str:
    """Path of a package. `model` is a packaged world's name or a path; raises ArgumentError if there is none."""
    path = os.fspath(model)
    if os.path.isfile(path):
        return path
    packaged = os.path.join(_MODELS, path + _SUFFIX)
    if os.path.basename(path) == path and os.path.isfile(packaged):
        return packaged
    raise ArgumentError(
        f"no model {path!r}: it is no file, and the packaged models are {packaged_models() or 'none'};"
        " give one of these names, or the path of a package made by `python -m exporters`"
    )


class Package:
    """A verified package. Every tensor's checksum has been compared; nothing has been computed yet.

    `fps` is what play paces to, `temporal_factor` T the frames a step returns, `batch` B the worlds that step together,
    fixed at export; `height` and `width` in pixels.
    """

    def __init__(self, native: _C.Package) -> None:
        self.native = native
        self.path = native.path
        self.name = native.name
        self.fps = native.fps
        self.height = native.height
        self.width = native.width
        self.temporal_factor = native.temporal_factor
        self.batch = native.batch
        self.actions = ActionSchema([Button(name, key) for name, key in native.buttons])

    @classmethod
    def open(cls, model: "str | os.PathLike[str] | Package") -> "Package":
        """Reads and verifies. Raises ArgumentError for an unknown name, PackageError for a bad file."""
        return model if isinstance(model, Package) else cls(_C.Package.read(find_package(model)))

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The whole manifest (docs/package.md), for tools: a session needs none of it, and parsing takes a while."""
        import json

        manifest: dict[str, Any] = json.loads(self.native.manifest)
        return manifest

    @property
    def frames_shape(self) -> tuple[int, int, int, int, int]:
        """Shape of a step's frames with the batch axis: (B, T, H, W, 3)."""
        return self.batch, self.temporal_factor, self.height, self.width, 3

    def program(self, name: str) -> dict[str, Any]:
        """The program as the manifest has it. Raises ArgumentError naming those there are."""
        programs: dict[str, dict[str, Any]] = self.manifest["programs"]
        if name not in programs:
            raise ArgumentError(f"{self.name} has no program {name!r}; it has {', '.join(sorted(programs))}")
        return programs[name]

    @property
    def starts(self) -> int:
        """How many places the package can start from without frames."""
        start = self.native.start
        return len(self.native.tensor(start[0])) if start else 0

    def start(self, seed: int) -> tuple[NDArray[Any], NDArray[Any]] | None:
        """Start `seed mod S`: latents float32 `[N, h, w, c]` and actions `[N, T, A]`; None if the package has none."""
        if not self.native.start:
            return None
        latents, actions = (self.native.tensor(name) for name in self.native.start)
        index = seed % len(latents)
        return latents[index], actions[index]

    def dump(self, program: str) -> str:
        """The program as text, one op a line."""
        return self.native.dump(program)

    def check_frames(self, frames: NDArray[np.uint8], what: str) -> NDArray[np.uint8]:
        """`frames` as `[B, n*T, H, W, 3]`; the batch axis may be left out when B is 1. Raises ArgumentError."""
        batch, t, height, width, _ = self.frames_shape
        array = np.asarray(frames)
        if batch == 1 and array.ndim == 4:
            array = array[None]
        expected = f"uint8 [{'' if batch == 1 else f'{batch}, '}n*{t}, {height}, {width}, 3] with n >= 1"
        if array.dtype != np.uint8:
            raise ArgumentError(f"{what} must be {expected}, got dtype {array.dtype}; use .astype(numpy.uint8)")
        if (
            array.ndim != 5
            or (array.shape[0], *array.shape[2:]) != (batch, height, width, 3)
            or array.shape[1] % t
            or array.shape[1] == 0
        ):
            raise ArgumentError(f"{what} must be {expected}, got shape {list(np.shape(frames))}; resize or crop first")
        return np.ascontiguousarray(array)
