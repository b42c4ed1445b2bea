"""One recorded episode as one safetensors file; the format is documented in docs/dataset.md.

Frames are JPEGs in one blob with offsets, so that a clip is read by mapping the file and decoding its own frames only.
"""

import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import save_file

from .schema import ActionSchema

FORMAT_VERSION = 1
JPEG_QUALITY = 95


@dataclass
class Recording:
    """An episode of N frames in memory. `buttons[i]` is held from frame i to frame i+1.

    rgb uint8 [N,H,W,3], depth uint8 [N,H/2,W/2], buttons uint8 [N,A], position float32 [N,3], angle float32 [N]
    (degrees), health float32 [N], tic int64 [N].
    """

    rgb: list[np.ndarray]
    depth: np.ndarray
    buttons: np.ndarray
    position: np.ndarray
    angle: np.ndarray
    health: np.ndarray
    tic: np.ndarray


def episode_path(root: Path, index: int) -> Path:
    return root / f"episode_{index:06d}.safetensors"


def encode_jpeg(frame: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()


def write_episode(path: Path, recording: Recording, schema: ActionSchema, info: dict[str, Any]) -> None:
    """Writes atomically: a file of that name is complete or absent, so an interrupted collection resumes."""
    blobs = [encode_jpeg(frame) for frame in recording.rgb]
    offsets = np.cumsum([0] + [len(blob) for blob in blobs]).astype(np.int64)
    tensors: dict[str, np.ndarray] = {
        "frames": np.frombuffer(b"".join(blobs), np.uint8),
        "offsets": offsets,
        "depth": recording.depth,
        "buttons": recording.buttons,
        "position": recording.position,
        "angle": recording.angle,
        "health": recording.health,
        "tic": recording.tic,
    }
    height, width = recording.rgb[0].shape[:2]
    header = {"format": FORMAT_VERSION, "schema": schema.to_dict(), "height": height, "width": width, **info}
    temporary = path.with_suffix(".partial")
    save_file(tensors, temporary, metadata={"episode": json.dumps(header)})
    os.replace(temporary, path)


class Episode:
    """Reads a recorded episode. The small arrays are loaded, frames and depth are mapped and decoded when asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = safe_open(path, framework="numpy")
        self.info: dict[str, Any] = json.loads(self._file.metadata()["episode"])
        if self.info["format"] != FORMAT_VERSION:
            raise ValueError(f"{path}: format {self.info['format']}, this code reads {FORMAT_VERSION}; collect again")
        self.schema = ActionSchema.from_dict(self.info["schema"])
        self.offsets = self._file.get_tensor("offsets")
        self.buttons = self._file.get_tensor("buttons")
        self.position = self._file.get_tensor("position")
        self.angle = self._file.get_tensor("angle")
        self.tic = self._file.get_tensor("tic")
        self._frames: Any = self._file.get_slice("frames")
        self._depth: Any = self._file.get_slice("depth")

    def __len__(self) -> int:
        return len(self.buttons)

    def frames(self, start: int, stop: int) -> np.ndarray:
        """Frames start..stop-1 as uint8 `[n,H,W,3]`; IndexError outside the episode."""
        return np.stack([np.asarray(Image.open(io.BytesIO(blob))) for blob in self.jpegs(start, stop)])

    def jpegs(self, start: int, stop: int) -> list[bytes]:
        """The same frames as they are stored, a JPEG each."""
        self._check(start, stop)
        begin = int(self.offsets[start])
        blob = self._frames[begin : int(self.offsets[stop])]
        bounds = self.offsets[start : stop + 1] - begin
        return [blob[a:b].tobytes() for a, b in zip(bounds[:-1], bounds[1:], strict=True)]

    def depth(self, start: int, stop: int) -> np.ndarray:
        """Depth of frames start..stop-1 as uint8 `[n,H/2,W/2]`, 0 near."""
        self._check(start, stop)
        depth: np.ndarray = self._depth[start:stop]
        return depth

    def _check(self, start: int, stop: int) -> None:
        if not 0 <= start < stop <= len(self):
            raise IndexError(f"{self.path}: frames {start}..{stop} of {len(self)}")


def list_episodes(root: Path) -> dict[int, Path]:
    """Complete episodes of a data set by index; ValueError if there is none."""
    episodes = {int(path.stem.split("_")[1]): path for path in sorted(root.glob("episode_*.safetensors"))}
    if not episodes:
        raise ValueError(f"no episodes in {root}; record some with `python -m python_train collect --out {root}`")
    return episodes
