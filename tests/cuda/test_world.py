"""A small world plays 64 steps on the CUDA backend, in the simulator, as on the CPU."""

from concurrent.futures import ThreadPoolExecutor
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


def test_sessions_of_one_engine_are_made_and_played_by_many_threads(tmp_path: Path) -> None:
    """A session's graphs are captured while others play: nothing of theirs may get into them."""
    sim.configure(order="random", seed=6)
    sim.take_reports()
    engine = yanrt.Engine(write_tiny_world(tmp_path / "tiny.safetensors"), device="cuda-sim", precision="fp32")

    def play_some(_: int) -> NDArray[Any]:
        played = []
        for _ in range(2):
            with yanrt.Session(engine) as session:
                session.reset(seed=3)
                played.append(np.stack([session.step({"BRIGHTER"})[0] for _ in range(2)]))
        return np.stack(played)

    alone = play_some(0)
    with ThreadPoolExecutor(4) as threads:
        for together in threads.map(play_some, range(4)):
            np.testing.assert_array_equal(together, alone)
    assert sim.take_reports() == []
