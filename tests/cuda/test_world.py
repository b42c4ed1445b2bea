"""A small world plays 64 steps on the CUDA backend, in the simulator, as on the CPU."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import yanrt
from tests.yanrt.tiny_world import write_tiny_world

sim = pytest.importorskip("yanrt._cuda_sim", reason="built without YANRT_CUDA=SIM")

STEPS = 64


def play(path: Path, device: str, precision: str) -> NDArray[Any]:
    with yanrt.Session(path, device=device, precision=precision) as session:
        session.reset(seed=3)
        frames = [session.step({"BRIGHTER"} if step % 3 else set())[0].copy() for step in range(STEPS)]
        saved = session.snapshot()
        after = session.step()[0].copy()
        session.restore(saved)
        np.testing.assert_array_equal(session.step()[0], after)
    return np.stack(frames)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_64_steps_show_what_the_cpu_shows(tmp_path: Path, precision: str) -> None:
    sim.configure(order="random", seed=5)
    sim.take_reports()
    path = write_tiny_world(tmp_path / "tiny.safetensors")
    expected, actual = (play(path, device, precision).astype(int) for device in ("cpu", "cuda-sim"))
    assert np.abs(actual - expected).max() <= 1
    assert sim.take_reports() == []
