"""A small world plays 64 steps on the CUDA backend, in the simulator, as on the CPU; and what a step asks of CUDA."""

import gc
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


@pytest.mark.parametrize("decoder", ["auto", "cuda-sim:0"])
def test_a_step_launches_its_graphs_and_waits_once(tmp_path: Path, decoder: str) -> None:
    """Nothing is allocated, nothing else is called but for the events of the times; and in the end nothing is left."""
    sim.configure()
    path = write_tiny_world(tmp_path / "tiny.safetensors")
    gc.collect()
    at_first, steps = sim.live(), 4
    with yanrt.Session(path, device="cuda-sim", decoder=decoder) as session:
        session.reset(seed=1)
        session.step()
        playing = sim.live()
        sim.reset_stats()
        for _ in range(steps):
            session.step()
        calls, live = sim.stats()["api_calls"], sim.live()
    a_step = {"cudaGraphLaunch": 1, "cudaEventRecord": 1, "cudaEventSynchronize": 1, "cudaEventElapsedTime": 2}
    if decoder != "auto":  # two lanes, each with its graph; what crosses is copied between them
        a_step |= {"cudaGraphLaunch": 2, "cudaEventRecord": 3, "cudaStreamWaitEvent": 2, "cudaMemcpyAsync": 1}
    assert calls == {name: steps * count for name, count in a_step.items()}
    assert live == playing
    del session
    gc.collect()
    assert sim.live() == at_first


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
