"""Mistakes an engine on CUDA graphs can make, planted one at a time (csrc/testing/cuda_faults_module.cpp): each is
found, and nothing is found where none is."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.package_builder import ProgramBuilder, bare_manifest, pack
from yanrt import _C

sim = pytest.importorskip("yanrt._cuda_sim", reason="built without YANRT_CUDA=SIM")
faults = pytest.importorskip("yanrt._cuda_faults")

WINDOW, POSITIONS, HEADS, D, SLOTS, STEPS = 2, 5, 2, 16, 4, 9  # the ring turns twice
SHAPE = [1, WINDOW, POSITIONS, HEADS, D]


def ring_package() -> bytes:
    """One program: attention of the input over a ring of its past, and a counter that moves on."""
    p = ProgramBuilder()
    x = p.input("x", "f32", SHAPE)
    frame = p.value("i64", [1], state="frame")
    rings = [p.value("f32", [1, SLOTS, *SHAPE[2:]], state=name) for name in ("k_ring", "v_ring")]
    first_valid = p.value("i64", [1], state="first_valid")
    attrs = {"commit": 1, "history": SLOTS - 1, "scope": "position", "scale": 0.5}
    y = p.op("ring_attention", [x, x, x, *rings, frame, first_valid, -1], "f32", SHAPE, **attrs)
    p.update("frame", p.op("pointwise", [frame], "i64", [1], expr=["add i0 1"]))
    p.output("y", y)
    ring = {"dtype": "f32", "shape": [1, SLOTS, *SHAPE[2:]], "kind": "compute"}
    counter = {"dtype": "i64", "shape": [1], "kind": "exact"}
    states = {"k_ring": ring, "v_ring": ring, "frame": counter, "first_valid": counter}
    return pack(bare_manifest({"step": p.build()}, states))


PACKAGE = ring_package()
INPUTS = [np.random.default_rng(i).standard_normal(SHAPE).astype(np.float32) for i in range(STEPS)]


def on_the_cpu() -> list[NDArray[Any]]:
    runner = _C.Engine(_C.Package.from_bytes(PACKAGE, "faults"), "cpu", "bf16").runner()
    return [runner.run("step", [x])[0] for x in INPUTS]


def play(fault: str, order: str = "random", seed: int = 1) -> tuple[list[str], bool]:
    """The kinds of what was reported, or the error of a call; and whether all frames are right."""
    sim.configure(order=order, seed=seed)
    sim.take_reports()
    try:
        raw = faults.play(PACKAGE, "step", [x.tobytes() for x in INPUTS], getattr(faults.Fault, fault))
    except RuntimeError as error:
        return [*(kind for kind, _ in sim.take_reports()), str(error)], False
    outputs = [np.frombuffer(y, np.float32).reshape(SHAPE) for y in raw]
    right = all(np.allclose(y, z, rtol=0.02, atol=0.02) for y, z in zip(outputs, on_the_cpu(), strict=True))
    return [kind for kind, _ in sim.take_reports()], right


@pytest.mark.parametrize("order", ["fifo", "lifo", "random"])
def test_nothing_is_found_where_nothing_is_wrong(order: str) -> None:
    assert play("none", order) == ([], True)


@pytest.mark.parametrize(
    "fault", ["baked_state", "staging_overwritten", "unjoined_stream", "missing_event", "sync_in_capture", "early_read"]
)
@pytest.mark.parametrize("seed", [1, 2])
def test_each_mistake_is_found(fault: str, seed: int) -> None:
    found, right = play(fault, seed=seed)
    assert found or not right


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("unjoined_stream", "cudaStreamEndCapture"),
        ("sync_in_capture", "capture-unsafe-call"),
        ("staging_overwritten", "staging-overwritten"),
        ("missing_event", "race-between-operations"),
    ],
)
def test_the_mistake_is_named_even_where_the_frames_are_right(fault: str, told: str) -> None:
    """In the order of calls, most mistakes change no frame."""
    found, _ = play(fault, order="fifo")
    assert any(told in text for text in found)
