"""Sessions: one world being played. See docs/session.md for the order of frames, actions and delays."""

import os
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yanrt import _C
from yanrt.action import Action
from yanrt.engine import Engine
from yanrt.errors import ArgumentError, StateError
from yanrt.package import Package

Frames = NDArray[np.uint8]
Info = dict[str, Any]


class Session:
    """A world model in play: `reset` puts it somewhere, every `step` takes an action and returns T frames.

    `model` is a packaged world's name, a path, or an `Engine` to share (its weights and threads serve many sessions;
    device, precision, threads, isa, kv and decoder are then the engine's). Frames are uint8 RGB `[T, H, W, 3]`, with a
    leading batch axis where the package has a batch larger than 1. Calls are safe from any thread; the GIL is free
    while one runs.
    The same package, precision, instruction set, seed and actions give the same bytes, with any number of threads.
    """

    def __init__(
        self,
        model: "str | os.PathLike[str] | Package | Engine",
        device: str = "auto",
        precision: str = "auto",
        schedule: str = "shift",
        seed: int = 0,
        threads: int | None = None,
        isa: str = "auto",
        kv: str = "auto",
        decoder: str = "auto",
    ) -> None:
        if not isinstance(model, Engine):
            model = Engine(model, device=device, precision=precision, threads=threads, isa=isa, kv=kv, decoder=decoder)
        elif (device, precision, threads, isa, kv, decoder) != ("auto", "auto", None, "auto", "auto", "auto"):
            raise ArgumentError(
                "device, precision, threads, isa, kv and decoder belong to the Engine; set them where it is made"
            )
        self._open(model, schedule, seed, _C.Session(model.native, schedule))

    def _open(self, engine: Engine, schedule: str, seed: int, native: _C.Session) -> None:
        self.engine = engine
        self.package = engine.package
        self.schedule = schedule
        self.seed = seed
        self.delay = native.delay
        self._native: _C.Session | None = native
        self._ready = False
        self._lock = threading.RLock()
        self._memory = engine.memory.to_dict()

    # ---- playing -----------------------------------------------------------------------------------------------------
    def reset(
        self, seed: int | None = None, frames: Frames | None = None, actions: Sequence[Action] | None = None
    ) -> tuple[Frames, Info]:
        """Starts over and returns (obs, info); obs is the picture from which the world goes on.

        `seed` decides the noise and, unless `frames` are given, which of the package's starts is taken; without one the
        session's own is used again. `frames` uint8 `[n*T, H, W, 3]` become the history: each T of them are encoded to
        one latent, under `actions[i]` (n actions; none = nothing held). obs is the last latent of the history, decoded.
        """
        with self._lock:
            native = self._live()
            seed = self.seed if seed is None else int(seed)
            history = self._start(seed, actions) if frames is None else self._encode(native, frames, actions)
            native.reset([seed + entry for entry in range(self.package.batch)])  # refused while steps are under way
            self._ready = False
            for latent, action in history:
                native.append(latent, action)
            native.prime()
            self.seed = seed
            self._ready = True
            return self._squeeze(native.decode(history[-1][0])), self._info({}, step=-1)

    def step(self, action: Action = None, out: Frames | None = None) -> tuple[Frames, Info]:
        """Advances by T frames under `action` and returns (frames, info).

        `action`: see `ActionSchema.encode`. `out` receives the frames if given: uint8, C-contiguous, of their shape.
        A step that fails leaves the session as it was. The keys of info are listed in docs/session.md.
        """
        began = time.perf_counter()
        held = self.package.actions.encode(action, self.package.temporal_factor, self.package.batch)
        target, frames = self._target(out)
        with self._lock:
            native = self._ready_to("step")
            timing = dict(native.step(held, target))
            step = native.counters["steps"] - 1
        total = (time.perf_counter() - began) * 1e3
        timing |= {"copy": total - sum(timing.values()), "total": total}
        return frames, self._info(timing, step)

    def submit(self, action: Action = None) -> None:
        """Sets a step off without waiting for its frames, which `collect` returns, in order. `depth` steps can be under
        way (2 on a GPU, 1 on the CPU, where it computes within submit). Until all are collected, calls that see or
        change the state raise StateError."""
        held = self.package.actions.encode(action, self.package.temporal_factor, self.package.batch)
        with self._lock:
            self._ready_to("submit").submit(held)

    def collect(self, out: Frames | None = None) -> tuple[Frames, Info]:
        """The frames of the oldest submitted step, and its info, as `step` returns them; waits for them."""
        began = time.perf_counter()
        target, frames = self._target(out)
        with self._lock:
            native = self._live()
            timing = dict(native.collect(target))
            step = native.counters["steps"] - 1
        timing |= {"waited": (time.perf_counter() - began) * 1e3}
        return frames, self._info(timing, step)

    @property
    def depth(self) -> int:
        """How many submitted steps can be under way."""
        with self._lock:
            return self._live().depth

    def append_frame(self, frames: Frames, action: Action = None) -> None:
        """Puts T real frames (uint8 `[T, H, W, 3]`, seen under `action`) into the history after what has been played.

        Latents in flight are dropped and the window is primed again, so that the next `step` goes on from these frames.
        """
        with self._lock:
            native = self._ready_to("append_frame")
            batch = self.package.check_frames(frames, "frames")
            if batch.shape[1] != self.package.temporal_factor:
                raise ArgumentError(
                    f"append_frame takes {self.package.temporal_factor} frames, got {batch.shape[1]};"
                    " call it once for each"
                )
            held = self.package.actions.encode(action, self.package.temporal_factor, self.package.batch)
            native.append(native.encode(batch), held)
            native.prime()

    # ---- state -------------------------------------------------------------------------------------------------------
    def snapshot(self) -> bytes:
        """The whole state as bytes: history, latents in flight, noise, counters. Loads in another process too."""
        with self._lock:
            return self._ready_to("snapshot").snapshot()

    def restore(self, snapshot: bytes) -> None:
        """Takes back what `snapshot` saved. Raises ArgumentError, and changes nothing, if it is damaged or comes from
        another package, schedule, precision or instruction set."""
        with self._lock:
            self._live().restore(snapshot)
            self._ready = True

    def fork(self) -> "Session":
        """An independent session in the same state; weights and threads are shared."""
        with self._lock:
            fork = Session.__new__(Session)
            fork._open(self.engine, self.schedule, self.seed, self._live().fork())
            fork._ready = self._ready
            return fork

    def frames_address(self) -> int:
        """Where the last step left its frames in the memory of the device; see `yanrt.cuda.device_frames`."""
        with self._lock:
            return self._live().frames_address()

    def close(self) -> None:
        """Frees the session's state. Closing twice is fine; any other call afterwards raises StateError."""
        with self._lock:
            self._native = None

    @property
    def closed(self) -> bool:
        return self._native is None

    def __enter__(self) -> "Session":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- inside ------------------------------------------------------------------------------------------------------
    def _live(self) -> _C.Session:
        if self._native is None:
            raise StateError("the session is closed; make a new one")
        return self._native

    def _ready_to(self, call: str) -> _C.Session:
        native = self._live()
        if not self._ready:
            raise StateError(f"the session has no history yet; call reset() before {call}()")
        return native

    def _start(self, seed: int, actions: Sequence[Action] | None) -> list[tuple[NDArray[Any], NDArray[Any]]]:
        """The package's start latents as the history: a list of (latent [B, h, w, c], action [B, T, A])."""
        if actions is not None:
            raise ArgumentError("actions describe frames; give reset() both, or neither")
        starts = [self.package.start(seed + entry) for entry in range(self.package.batch)]
        found = [start for start in starts if start is not None]
        if not found:
            raise StateError(f"{self.package.name} has no start latents; call reset(frames=...)")
        latents, held = (np.ascontiguousarray(np.stack(arrays, axis=1)) for arrays in zip(*found, strict=True))
        return list(zip(latents, held, strict=True))

    def _encode(
        self, native: _C.Session, frames: Frames, actions: Sequence[Action] | None
    ) -> list[tuple[NDArray[Any], NDArray[Any]]]:
        """Frames as the history, T of them a latent; in the form of `_start`."""
        t, batch = self.package.temporal_factor, self.package.batch
        array = self.package.check_frames(frames, "frames")
        count = array.shape[1] // t
        if actions is None:
            actions = [None] * count
        if len(actions) != count:
            raise ArgumentError(
                f"{count * t} frames are {count} latents of {t}, got {len(actions)} actions; give {count}"
            )
        return [
            (
                native.encode(np.ascontiguousarray(array[:, i * t : (i + 1) * t])),
                self.package.actions.encode(actions[i], t, batch),
            )
            for i in range(count)
        ]

    def _target(self, out: Frames | None) -> tuple[Frames, Frames]:
        """The array a step writes, with the batch axis, and the one the caller gets."""
        shape = self.package.frames_shape
        if out is None:
            target = np.empty(shape, np.uint8)
            return target, self._squeeze(target)
        expected = shape[1:] if self.package.batch == 1 else shape
        if not isinstance(out, np.ndarray) or out.dtype != np.uint8 or out.shape != expected:
            got = f"{out.dtype} {list(out.shape)}" if isinstance(out, np.ndarray) else type(out).__name__
            raise ArgumentError(f"out must be a numpy array uint8 {list(expected)}, got {got}")
        if not (out.flags.c_contiguous and out.flags.writeable):
            raise ArgumentError("out must be C-contiguous and writeable; pass numpy.empty(shape, numpy.uint8)")
        return out.reshape(shape), out

    def _squeeze(self, frames: Frames) -> Frames:
        return frames[0] if self.package.batch == 1 else frames

    def _info(self, timing: dict[str, float], step: int) -> Info:
        t = self.package.temporal_factor
        return {
            "frame_index": step * t,
            "latent_index": step,
            "action_frame": (step + self.delay) * t,
            "warmup": step < self.delay,
            "timing": timing,
            "memory": dict(self._memory),
        }
