"""A hand-made world of a few ops, to test sessions without a trained model (and without torch).

Its latent [B, 4, 6, 6] is the picture itself: 4x6 pixels, 2 frames x 3 channels. The new latent of each step is
`0.05 * noise + 4 * (held buttons of both frames)`, on top of half of the last one. "sequential" shows it at once,
"shift" keeps a window of three latents, so that it shows two steps later.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support.package_builder import ProgramBuilder, pack

T, H, W, BUTTONS = 2, 4, 6, 2
C = T * 3
WINDOW = 3


def _new_latent(p: ProgramBuilder, batch: int) -> int:
    """Noise and action as [B, 4, 6, 6]; moves the counter on."""
    latent = [batch, H, W, C]
    action = p.input("action", "f32", [batch, T, BUTTONS])
    flat = p.op("reshape", [action], "f32", [batch, T * BUTTONS], shape=[batch, T * BUTTONS])
    weight = p.value("f32", [H * W * C, T * BUTTONS], tensor="act.weight")
    push = p.op("linear", [flat, weight, -1, -1, -1], "f32", [batch, H * W * C], act="none", gate_rows=1)
    push = p.op("reshape", [push], "f32", latent, shape=latent)
    seed = p.value("i64", [batch], state="seed")
    counter = p.value("i64", [batch], state="counter")
    noise = p.op("randn", [seed, counter], "f32", latent)
    p.update("counter", p.op("pointwise", [counter], "i64", [batch], expr=["add i0 1"]))
    return p.op("pointwise", [noise, push], "f32", latent, expr=["mul i0 0.05", "add %0 i1"])


def _finish(p: ProgramBuilder, new: int, batch: int) -> dict[str, Any]:
    """Adds half of the last latent; the sum is the program's output and the next last latent."""
    last = p.value("f32", [batch, H, W, C], state="last")
    latent = p.op("pointwise", [new, last], "f32", [batch, H, W, C], expr=["mul i1 0.5", "add i0 %0"])
    p.update("last", latent)
    p.output("latent", latent)
    return p.build()


def step_sequential(batch: int) -> dict[str, Any]:
    p = ProgramBuilder()
    return _finish(p, _new_latent(p, batch), batch)


def step_shift(batch: int) -> dict[str, Any]:
    p = ProgramBuilder()
    latent = [batch, H, W, C]
    new = p.op("reshape", [_new_latent(p, batch)], "f32", [batch, 1, H, W, C], shape=[batch, 1, H, W, C])
    window = p.value("f32", [batch, WINDOW, H, W, C], state="window")
    rest = p.op("slice", [window], "f32", [batch, WINDOW - 1, H, W, C], dim=1, start=1, stop=WINDOW, step=1)
    shifted = p.op("concat", [rest, new], "f32", [batch, WINDOW, H, W, C], dim=1)
    p.update("window", shifted)
    oldest = p.op("slice", [shifted], "f32", [batch, 1, H, W, C], dim=1, start=0, stop=1, step=1)
    return _finish(p, p.op("reshape", [oldest], "f32", latent, shape=latent), batch)


def append(batch: int) -> dict[str, Any]:
    p = ProgramBuilder()
    latent = p.input("latent", "f32", [batch, H, W, C])
    p.input("action", "f32", [batch, T, BUTTONS])
    p.update("last", p.op("pointwise", [latent], "f32", [batch, H, W, C], expr=["mul i0 1.0"]))
    window = p.value("f32", [batch, WINDOW, H, W, C], state="window")
    empty = p.op("pointwise", [window], "f32", [batch, WINDOW, H, W, C], expr=["mul i0 0.0"])
    p.update("window", empty)
    return p.build()


def decode(batch: int) -> dict[str, Any]:
    p = ProgramBuilder()
    latent = p.input("latent", "f32", [batch, H, W, C])
    split = p.op("reshape", [latent], "f32", [batch, H, W, T, 3], shape=[batch, H, W, T, 3])
    frames = p.op("permute", [split], "f32", [batch, T, H, W, 3], dims=[0, 3, 1, 2, 4])
    expr = ["mul i0 16.0", "add %0 128.0"]
    p.output("frames", p.op("pointwise", [frames], "u8", [batch, T, H, W, 3], expr=expr))
    return p.build()


def encode(batch: int) -> dict[str, Any]:
    p = ProgramBuilder()
    frames = p.input("frames", "u8", [batch, T, H, W, 3])
    expr = ["float i0", "sub %0 128.0", "mul %1 0.0625"]
    centred = p.op("pointwise", [frames], "f32", [batch, T, H, W, 3], expr=expr)
    channels = p.op("permute", [centred], "f32", [batch, H, W, T, 3], dims=[0, 2, 3, 1, 4])
    packed = p.op("reshape", [channels], "f32", [batch, H, W, C], shape=[batch, H, W, C])
    p.output("latent", p.op("copy", [packed], "f32", [batch, H, W, C]))
    return p.build()


def _schedule(step: str, delay: int) -> dict[str, Any]:
    def phase(name: str, program: str, reads: Sequence[str], writes: Sequence[str]) -> dict[str, Any]:
        return {"name": name, "program": program, "in": {s: s for s in reads}, "out": {s: s for s in writes}}

    return {
        "delay": delay,
        "on_step": [phase("denoise", step, ["action"], ["latent"]), phase("decode", "decode", ["latent"], ["frames"])],
        "on_append": [phase("append", "append", ["latent", "action"], [])],
        "on_encode": [phase("encode", "encode", ["frames"], ["latent"])],
    }


def tensors(starts: int) -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(0)
    act = np.zeros((H * W * C, T * BUTTONS), np.float32)
    act[:, 0::BUTTONS] = 2  # the first button brightens, the second darkens
    act[:, 1::BUTTONS] = -2
    arrays: dict[str, NDArray[Any]] = {"act.weight": act}
    if starts:
        arrays["start.latents"] = rng.standard_normal((starts, 2, H, W, C)).astype(np.float32)
        arrays["start.actions"] = np.zeros((starts, 2, T, BUTTONS), np.float32)
    return arrays


def manifest(batch: int, starts: int) -> dict[str, Any]:
    def state(dtype: str, *shape: int) -> dict[str, Any]:
        return {"dtype": dtype, "shape": [batch, *shape], "kind": "exact"}

    programs = [step_shift, step_sequential, append, decode, encode]
    return {
        "format": 1,
        "name": "tiny",
        "fps": 20.0,
        "frame": {"height": H, "width": W, "temporal_factor": T},
        "batch": batch,
        "actions": {"buttons": [{"name": "BRIGHTER", "key": "KeyW"}, {"name": "DARKER", "key": "KeyS"}]},
        "tensors": {},
        "state": {
            "window": state("f32", WINDOW, H, W, C),
            "last": state("f32", H, W, C),
            "counter": state("i64"),
            "seed": {**state("i64"), "role": "seed"},
        },
        "programs": {program.__name__: program(batch) for program in programs},
        "schedules": {"shift": _schedule("step_shift", WINDOW - 1), "sequential": _schedule("step_sequential", 0)},
        "start": {"latents": "start.latents", "actions": "start.actions"} if starts else {},
        "provenance": {},
    }


def write_tiny_world(path: Path, batch: int = 1, starts: int = 3) -> Path:
    """Writes the world as a package and returns its path."""
    path.write_bytes(pack(manifest(batch, starts), tensors(starts)))
    return path
