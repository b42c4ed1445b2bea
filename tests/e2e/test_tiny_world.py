"""The whole road in small: random weights -> package -> the same frames as eager PyTorch -> sessions."""

from pathlib import Path

import numpy as np
import pytest

import yanrt
from tests.e2e.conftest import exporters


def test_the_runtime_follows_eager_pytorch_for_64_steps(package: Path, checkpoint: Path) -> None:
    """`compare` fails beyond its limits: 1e-3 (fp32) and 3e-2 (bf16) a step, 45 dB over a free rollout in fp32."""
    out = exporters("compare", package, checkpoint, "--steps", 64)
    assert "fp32" in out
    assert "bf16" in out


@pytest.mark.parametrize("schedule", ["shift", "sequential"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_same_bytes_with_one_and_two_threads(package: Path, schedule: str, precision: str) -> None:
    runs = []
    for threads in (1, 2, 2):
        with yanrt.Session(package, precision=precision, schedule=schedule, threads=threads) as session:
            obs, _ = session.reset(seed=11)
            frames = [session.step({"MOVE_FORWARD"} if step % 3 else {"TURN_LEFT"})[0] for step in range(8)]
            session.append_frame(obs, {"TURN_RIGHT"})
            frames.append(session.step()[0])
            runs.append(np.stack([obs, *frames]).tobytes())
    assert runs[0] == runs[1] == runs[2]


def test_memory_is_known_before_anything_is_packed(package: Path) -> None:
    for precision in ("fp32", "bf16"):
        told = yanrt.estimate(package, precision=precision, threads=2)
        assert told == yanrt.Engine(package, precision=precision, threads=2).memory


def test_a_fork_of_a_simulator_continues_alike(package: Path) -> None:
    with yanrt.Session(package, precision="bf16") as session:
        session.reset(seed=1)
        session.step({"MOVE_FORWARD"})
        with session.fork() as fork:
            for _ in range(10):  # beyond one turn of the rings
                np.testing.assert_array_equal(session.step({"TURN_LEFT"})[0], fork.step({"TURN_LEFT"})[0])
