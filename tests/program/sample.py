"""A small package that uses every op, every kind of state, and a schedule with all its events."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support.package_builder import ProgramBuilder, Stored, bare_manifest, bf16

BATCH, T, H, W, BUTTONS = 1, 2, 4, 6, 2
LATENT = [BATCH, 2, 3, 4]
X = [1, 4, 4, 8]
QKV = [1, 2, 8, 2, 4]  # [batch, frames, positions, heads, width]
RING = [1, 4, 8, 2, 4]

Tensors = dict[str, Stored | NDArray[Any]]


def every_op() -> dict[str, Any]:
    """A program with each op of the table at least once."""
    p = ProgramBuilder()
    x = p.input("x", "f32", X)
    conv_w, conv_b = p.value("f32", [8, 3, 3, 4], tensor="conv.weight"), p.value("f32", [8], tensor="conv.bias")
    conv = {"stride": [1, 1], "padding": [1, 1, 1, 1], "dilation": [1, 1], "groups": 2, "act": "silu"}
    y = p.op("conv2d", [x, conv_w, conv_b, x], "f32", X, **conv)
    y = p.op("group_norm", [y, conv_b, -1], "f32", X, groups=2, eps=1e-5, act="none")
    rows = p.op("reshape", [y], "f32", [16, 8], shape=[16, 8])
    scale, shift = p.value("f32", [2, 8], tensor="norm.scale"), p.value("f32", [2, 8], tensor="norm.shift")
    rows = p.op("layer_norm", [rows, scale, shift], "f32", [16, 8], eps=1e-6, group_rows=8)
    weight, bias = p.value("f32", [8, 8], tensor="linear.weight"), p.value("f32", [8], tensor="linear.bias")
    rows = p.op("linear", [rows, weight, bias, scale, rows], "f32", [16, 8], act="gelu_tanh", gate_rows=8)
    quantised = p.value("f32", [8, 8], tensor="linear.fp8")
    rows = p.op("linear", [rows, quantised, -1, -1, -1], "f32", [16, 8], act="none", gate_rows=1)
    q = p.op("reshape", [rows], "f32", QKV, shape=QKV)
    rings = [p.value("f32", RING, state="k"), p.value("f32", RING, state="v")]
    counters = [p.value("i64", [1], state="frame"), p.value("i64", [1], state="first")]
    distance = p.value("f32", [2, 6], tensor="ring.bias")
    ring = {"commit": 1, "history": 3, "scope": "position", "scale": 0.5}
    y = p.op("ring_attention", [q, q, q, *rings, *counters, distance], "f32", QKV, **ring)
    mask = p.value("f32", [8, 8], tensor="mask")
    y = p.op("attention", [y, q, q, mask], "f32", QKV, scale=0.5, causal=1)
    y = p.op("permute", [y], "f32", [1, 2, 2, 8, 4], dims=[0, 1, 3, 2, 4])
    y = p.op("slice", [y], "f32", [1, 2, 2, 4, 4], dim=3, start=1, stop=8, step=2)
    y = p.op("copy", [y], "f32", [1, 2, 2, 4, 4])
    y = p.op("concat", [y, y], "f32", [1, 2, 2, 4, 8], dim=4)
    y = p.op("pad", [y], "f32", [1, 2, 2, 5, 8], pads=[0, 0, 0, 0, 0, 0, 1, 0, 0, 0], value=0.5)
    index = p.value("i64", [3], tensor="index")
    rows = p.op("gather", [weight, index], "f32", [3, 8])
    rows = p.op("expand", [rows], "f32", [2, 3, 8], shape=[2, 3, 8])
    noise = p.op("randn", [p.value("i64", [1], state="seed"), counters[0]], "f32", [1, 3, 8])
    z = p.op("pointwise", [rows, noise], "f32", [2, 3, 8], expr=["mul i0 0.5", "add %0 i1", "where 1 %1 i0"])
    p.output("y", y)
    p.output("z", z)
    p.update("frame", p.op("pointwise", [counters[0]], "i64", [1], expr=["add i0 1"]))
    p.output("mean", p.op("reduce", [x], "f32", [1, 1, 4, 8], kind="mean", dim=1))
    normed = p.op("rms_norm", [x, scale, -1], "f32", X, eps=1e-6, group_rows=8)
    logits = p.op("matmul", [normed, x], "f32", [1, 4, 4, 4], transpose_b=1)
    p.output("weights", p.op("softmax", [logits], "f32", [1, 4, 4, 4]))
    return p.build()


def step() -> dict[str, Any]:
    """action -> latent; keeps the last latent as state."""
    p = ProgramBuilder()
    action = p.input("action", "f32", [BATCH, T, BUTTONS])
    flat = p.op("reshape", [action], "f32", [BATCH, 4], shape=[BATCH, 4])
    weight = p.value("f32", [24, 4], tensor="act.weight")
    push = p.op("linear", [flat, weight, -1, -1, -1], "f32", [BATCH, 24], act="none", gate_rows=1)
    push = p.op("reshape", [push], "f32", LATENT, shape=LATENT)
    last = p.value("f32", LATENT, state="last")
    latent = p.op("pointwise", [push, last], "f32", LATENT, expr=["add i0 i1"])
    p.output("latent", latent)
    p.update("last", latent)
    return p.build()


def append() -> dict[str, Any]:
    p = ProgramBuilder()
    latent = p.input("latent", "f32", LATENT)
    p.input("action", "f32", [BATCH, T, BUTTONS])
    p.update("last", p.op("copy", [latent], "f32", LATENT))
    return p.build()


def decode() -> dict[str, Any]:
    p = ProgramBuilder()
    latent = p.input("latent", "f32", LATENT)
    pixel = p.op("reshape", [latent], "f32", [1, 2, 3, 4, 1], shape=[1, 2, 3, 4, 1])
    pixel = p.op("permute", [pixel], "f32", [1, 2, 4, 3, 1], dims=[0, 1, 3, 2, 4])
    wide = p.op("concat", [pixel, pixel], "f32", [1, 2, 4, 6, 1], dim=3)
    p.output("frames", p.op("pointwise", [wide], "u8", [BATCH, T, H, W, 3], expr=["mul i0 9.0"]))
    return p.build()


def encode() -> dict[str, Any]:
    p = ProgramBuilder()
    frames = p.input("frames", "u8", [BATCH, T, H, W, 3])
    cut = p.op("slice", [frames], "u8", [1, 2, 4, 3, 3], dim=3, start=0, stop=6, step=2)
    cut = p.op("slice", [cut], "u8", [1, 2, 4, 3, 1], dim=4, start=0, stop=1, step=1)
    cut = p.op("permute", [cut], "u8", [1, 2, 3, 4, 1], dims=[0, 1, 3, 2, 4])
    cut = p.op("reshape", [cut], "u8", LATENT, shape=LATENT)
    p.output("latent", p.op("pointwise", [cut], "f32", LATENT, expr=["float i0"]))
    return p.build()


def _phase(program: str, reads: list[str], fills: list[str]) -> dict[str, Any]:
    return {"name": program, "program": program, "in": {s: s for s in reads}, "out": {s: s for s in fills}}


def manifest() -> dict[str, Any]:
    """A fresh copy: tests change it."""
    states: Mapping[str, Any] = {
        "k": {"dtype": "f32", "shape": RING, "kind": "compute"},
        "v": {"dtype": "f32", "shape": RING, "kind": "compute"},
        "frame": {"dtype": "i64", "shape": [1], "kind": "exact"},
        "first": {"dtype": "i64", "shape": [1], "kind": "exact"},
        "seed": {"dtype": "i64", "shape": [1], "kind": "exact", "role": "seed"},
        "last": {"dtype": "f32", "shape": LATENT, "kind": "exact", "init": "last.init"},
    }
    schedule = {
        "delay": 0,
        "on_step": [_phase("step", ["action"], ["latent"]), _phase("decode", ["latent"], ["frames"])],
        "on_append": [_phase("append", ["latent", "action"], [])],
        "on_encode": [_phase("encode", ["frames"], ["latent"])],
    }
    programs = {f.__name__: f() for f in (every_op, step, append, decode, encode)}
    return {
        **bare_manifest(programs, states),
        "tensors": {"linear.fp8": {"scale": "linear.fp8.scale", "input_peak": 3.5}},
        "schedules": {"main": schedule},
        "start": {"latents": "start.latents", "actions": "start.actions"},
    }


def tensors() -> Tensors:
    """A fresh copy: tests change it."""
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> NDArray[np.float32]:
        return rng.standard_normal(shape).astype(np.float32)

    return {
        "conv.weight": normal(8, 3, 3, 4),
        "conv.bias": normal(8),
        "norm.scale": normal(2, 8),
        "norm.shift": bf16(normal(2, 8)),
        "linear.weight": bf16(normal(8, 8)),
        "linear.bias": normal(8),
        "linear.fp8": Stored("F8_E4M3", rng.integers(0, 0x70, (8, 8)).astype(np.uint8)),
        "linear.fp8.scale": normal(8),
        "ring.bias": normal(2, 6),
        "mask": normal(8, 8),
        "index": np.array([2, 0, -7], np.int64),
        "act.weight": normal(24, 4),
        "last.init": normal(*LATENT),
        "start.latents": normal(2, 3, *LATENT[1:]),
        "start.actions": np.zeros((2, 3, T, BUTTONS), np.float32),
    }
