"""Writes frames to a video file with PyAV."""

import os
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from yanrt.errors import ArgumentError, UnsupportedError


class VideoWriter:
    """An H.264 file (`.mp4`, `.mkv`); `height` and `width` in pixels are even, `fps` in frames a second.

    `crf` is x264's quality, 0 (lossless) to 51; 16 shows no visible loss.
    """

    def __init__(self, path: str | os.PathLike[str], height: int, width: int, fps: float, crf: int = 16) -> None:
        try:
            import av
        except ImportError:
            raise UnsupportedError("writing a video needs PyAV; install it with `pip install yanrt[play]`") from None
        if height % 2 or width % 2:
            raise ArgumentError(f"H.264 needs an even height and width, got {height}x{width}")
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._av = av
        try:
            self._container = av.open(os.fspath(path), "w")
        except (OSError, ValueError) as error:
            raise ArgumentError(f"cannot write a video to {os.fspath(path)!r}: {error}") from None
        options = {"crf": str(crf), "preset": "medium"}
        self._stream = self._container.add_stream(
            "libx264", rate=Fraction(fps).limit_denominator(1000), options=options
        )
        self._stream.height, self._stream.width, self._stream.pix_fmt = height, width, "yuv420p"
        self.frames = 0

    def write(self, frames: NDArray[np.uint8]) -> None:
        """Appends frames uint8 `[T, H, W, 3]`."""
        for frame in frames:
            self._container.mux(self._stream.encode(self._av.VideoFrame.from_ndarray(frame, format="rgb24")))
            self.frames += 1

    def close(self) -> None:
        self._container.mux(self._stream.encode())
        self._container.close()

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
