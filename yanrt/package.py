"""Packages: one .safetensors file each (docs/package.md), found by the name of a packaged world or by path."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yanrt import _C
from yanrt.action import ActionSchema, Button
from yanrt.errors import ArgumentError

_MODELS = Path(__file__).parent / "models"


def packaged_models() -> list[str]:
    """Names of the worlds that came with this installation."""
    return sorted(path.stem for path in _MODELS.glob("*.safetensors"))


def find_package(model: str | os.PathLike[str]) -> Path:
    """Path of a package. `model` is a packaged world's name or a path; raises ArgumentError if there is none."""
    path = Path(model)
    if path.is_file():
        return path
    packaged = _MODELS / f"{model}.safetensors"
    if path.name == str(model) and packaged.is_file():
        return packaged
    raise ArgumentError(
        f"no model {str(model)!r}: it is no file, and the packaged models are {packaged_models() or 'none'};"
        " give one of these names, or the path of a package made by `python -m exporters`"
    )


@dataclass(frozen=True)
class Package:
    """A verified package. Every tensor's checksum has been compared; nothing has been computed yet."""

    native: _C.Package
    path: Path
    name: str
    fps: float  # frames a second that play paces to
    height: int
    width: int
    temporal_factor: int  # T: frames a step returns
    batch: int  # B: worlds that step together, fixed at export
    actions: ActionSchema
    manifest: dict[str, Any]

    @classmethod
    def open(cls, model: "str | os.PathLike[str] | Package") -> "Package":
        """Reads and verifies. Raises ArgumentError for an unknown name, PackageError for a bad file."""
        if isinstance(model, Package):
            return model
        path = find_package(model)
        native = _C.Package.read(str(path))
        manifest = json.loads(native.manifest)
        frame = manifest["frame"]
        return cls(
            native=native,
            path=path,
            name=manifest["name"],
            fps=float(manifest["fps"]),
            height=frame["height"],
            width=frame["width"],
            temporal_factor=frame["temporal_factor"],
            batch=manifest["batch"],
            actions=ActionSchema([Button(**button) for button in manifest["actions"]["buttons"]]),
            manifest=manifest,
        )

    @property
    def frames_shape(self) -> tuple[int, int, int, int, int]:
        """Shape of a step's frames with the batch axis: (B, T, H, W, 3)."""
        return self.batch, self.temporal_factor, self.height, self.width, 3

    def schedule(self, name: str) -> dict[str, Any]:
        """The schedule as the manifest has it. Raises ArgumentError naming those there are."""
        schedules: dict[str, dict[str, Any]] = self.manifest["schedules"]
        if name not in schedules:
            raise ArgumentError(f"{self.name} has no schedule {name!r}; it has {', '.join(sorted(schedules))}")
        return schedules[name]

    @property
    def starts(self) -> int:
        """How many places the package can start from without frames."""
        start = self.manifest.get("start")
        return len(self.native.tensor(start["latents"])) if start else 0

    def start(self, seed: int) -> tuple[NDArray[Any], NDArray[Any]] | None:
        """Start `seed mod S`: latents float32 `[N, h, w, c]` and actions `[N, T, A]`; None if the package has none."""
        start = self.manifest.get("start")
        if not start:
            return None
        latents = self.native.tensor(start["latents"])
        index = seed % len(latents)
        return latents[index], self.native.tensor(start["actions"])[index]

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
