"""A whole world on the CUDA backend, in the simulator: it follows the CPU, and a session does there what it says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import yanrt
from tests.conftest import relative_errors

sim = pytest.importorskip("yanrt._cuda_sim", reason="built without YANRT_CUDA=SIM")

Array = NDArray[Any]
STEPS = 64
ACTIONS: list[set[str]] = [{"MOVE_FORWARD"}, {"TURN_LEFT"}, {"MOVE_FORWARD", "TURN_RIGHT"}, set()]


@pytest.fixture(autouse=True)
def checked() -> Iterator[None]:
    sim.configure(order="random", seed=5)
    sim.take_reports()
    yield
    assert sim.take_reports() == []


def step_inputs(package: yanrt.Package, program: str, step: int) -> list[Array]:
    held = package.actions.encode(ACTIONS[step % len(ACTIONS)], package.temporal_factor, package.batch)
    return [np.asarray(held)]


# The largest relative RMS error of a step. In fp8 the CPU keeps activations in bf16, CUDA quantises their rows.
LIMITS = {"fp32": 1e-4, "bf16": 3e-2, "fp8": 1e-1}


@pytest.mark.parametrize("precision", LIMITS)
def test_each_of_64_steps_follows_the_cpu(package: Path, precision: str) -> None:
    """Both take each step from the state the CPU is in: what differs is one step's rounding, not what it leads to."""
    cpu, gpu = (yanrt.Engine(package, device=device, precision=precision).runner() for device in ("cpu", "cuda-sim"))
    cpu.reset(7)
    worst = 0.0
    for step in range(STEPS):
        for name in cpu.state:
            gpu.state[name] = cpu.state[name]
        inputs = step_inputs(cpu.engine.package, "sim/step_shift", step)
        (expected,) = cpu.run("sim/step_shift", *inputs)
        (actual,) = gpu.run("sim/step_shift", *inputs)
        worst = max(worst, relative_errors(actual, expected.astype(np.float64))[0])
        frames, reference = gpu.run("vae/decode", expected)[0], cpu.run("vae/decode", expected)[0]
        assert np.abs(frames.astype(int) - reference).mean() < 1.0
        for name in cpu.state:
            assert relative_errors(gpu.state[name], cpu.state[name].astype(np.float64))[0] < LIMITS[precision], name
    assert worst < LIMITS[precision]


def play(session: yanrt.Session, steps: int) -> list[Array]:
    session.reset(seed=3)
    return [session.step(ACTIONS[step % len(ACTIONS)])[0].copy() for step in range(steps)]


@pytest.mark.parametrize("schedule", ["shift", "sequential"])
def test_a_session_plays_the_same_bytes_again_and_shows_what_the_cpu_shows(package: Path, schedule: str) -> None:
    with yanrt.Session(package, device="cuda-sim", precision="fp32", schedule=schedule) as session:
        once, again = play(session, 6), play(session, 6)
    with yanrt.Session(package, device="cpu", precision="fp32", schedule=schedule) as session:
        reference = play(session, 6)
    np.testing.assert_array_equal(once, again)
    assert np.abs(np.subtract(once, reference, dtype=int)).max() <= 2


def test_snapshots_forks_and_two_sessions_share_an_engine(package: Path) -> None:
    engine = yanrt.Engine(package, device="cuda-sim", precision="bf16")
    with yanrt.Session(engine) as session, yanrt.Session(engine) as other:
        play(session, 2)
        saved = session.snapshot()
        play(other, 3)
        expected = session.step({"TURN_LEFT"})[0].copy()
        other.restore(saved)
        np.testing.assert_array_equal(other.step({"TURN_LEFT"})[0], expected)
        with session.fork() as fork:
            np.testing.assert_array_equal(fork.step()[0], session.step()[0])


def test_a_step_is_one_graph_launch_and_nothing_else(package: Path) -> None:
    with yanrt.Session(package, device="cuda-sim", precision="bf16") as session:
        play(session, 1)
        out = np.empty(session.package.frames_shape[1:], np.uint8)
        before = sim.stats()
        info = session.step({"MOVE_FORWARD"}, out=out)[1]
        after = sim.stats()
        assert after["graph_launches"] - before["graph_launches"] == 1
        assert info["timing"]["total"] > 0


def test_everything_is_given_back(package: Path) -> None:
    before = sim.live()
    with yanrt.Session(package, device="cuda-sim", precision="bf16") as session:
        play(session, 1)
        assert sim.live()["device_bytes"] > before["device_bytes"]
    del session
    assert sim.live() == before


def test_too_little_memory_is_a_typed_error(package: Path) -> None:
    sim.configure(device_bytes=1 << 16)
    with pytest.raises(yanrt.errors.OutOfMemoryError, match="cudaMalloc"):
        yanrt.Session(package, device="cuda-sim")
