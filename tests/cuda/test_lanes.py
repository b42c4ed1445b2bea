"""The decoder in a lane of its own, on the same GPU and on another one, and steps ahead: the frames stay those of one
graph, in every order that streams and events allow, and nothing races."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import yanrt
from tests.yanrt.tiny_world import write_tiny_world
from yanrt.errors import ArgumentError, StateError, UnsupportedError

sim = pytest.importorskip("yanrt._cuda_sim", reason="built without YANRT_CUDA=SIM")

STEPS = 9
Frames = list[NDArray[Any]]


@pytest.fixture
def world(tmp_path: Path) -> Path:
    return write_tiny_world(tmp_path / "tiny.safetensors")


@pytest.fixture(autouse=True)
def checked() -> Iterator[None]:
    sim.configure(order="random", seed=2, devices=2)
    sim.take_reports()
    yield
    reports = sim.take_reports()
    sim.configure()
    assert reports == []


def held(step: int) -> set[str]:
    return {"BRIGHTER"} if step % 3 else {"DARKER"}


def play(world: Path, **options: Any) -> Frames:
    with yanrt.Session(world, device="cuda-sim", precision="fp32", **options) as session:
        return [session.reset(seed=3)[0], *(session.step(held(step))[0] for step in range(STEPS))]


def play_ahead(world: Path, **options: Any) -> Frames:
    """As many steps under way as there can be; each is collected when the next is submitted."""
    with yanrt.Session(world, device="cuda-sim", precision="fp32", **options) as session:
        frames = [session.reset(seed=3)[0]]
        for step in range(STEPS):
            if step >= session.depth:
                frames.append(session.collect()[0])
            session.submit(held(step))
        frames += [session.collect()[0] for _ in range(session.depth)]
    return frames


@pytest.mark.parametrize("order", ["fifo", "lifo", "random"])
@pytest.mark.parametrize("decoder", ["auto", "cuda-sim:0", "cuda-sim:1"])
def test_a_lane_of_its_own_changes_no_byte(world: Path, decoder: str, order: str) -> None:
    expected = play(world)
    sim.configure(order=order, seed=7, devices=2)
    for frames in (play(world, decoder=decoder), play_ahead(world, decoder=decoder)):
        np.testing.assert_array_equal(frames, expected)


def test_without_a_graph_the_same_bytes(world: Path) -> None:
    engine = yanrt.Engine(world, device="cuda-sim", precision="fp32", op_by_op=True)
    with yanrt.Session(engine) as session:
        frames = [session.reset(seed=3)[0], *(session.step(held(step))[0] for step in range(STEPS))]
    np.testing.assert_array_equal(frames, play(world))


def test_frames_are_where_device_frames_look_for_them(world: Path) -> None:
    with yanrt.Session(world, device="cuda-sim", decoder="cuda-sim:1") as session:
        session.reset(seed=1)
        assert session.frames_address() != 0
        assert set(session.step()[1]["timing"]) == {"denoise", "decode", "copy", "total"}
        assert session.engine.memory.workspace > 0


def test_the_state_is_not_touched_while_steps_are_under_way(world: Path) -> None:
    with yanrt.Session(world, device="cuda-sim") as session:
        session.reset(seed=1)
        with pytest.raises(StateError, match="submit"):
            session.collect()
        session.submit()
        session.submit()
        with pytest.raises(StateError, match="collect"):
            session.submit()
        for call in (session.step, session.snapshot, session.reset, session.fork):
            with pytest.raises(StateError, match="under way"):
                call()
        collected = [session.collect()[1]["latent_index"] for _ in range(2)]
        assert collected == [0, 1]
        session.snapshot()


def test_a_decoder_that_cannot_be_is_refused(world: Path) -> None:
    with pytest.raises(UnsupportedError, match="no CUDA device 5"):
        yanrt.Engine(world, device="cuda-sim", decoder="cuda-sim:5")
    with pytest.raises(ArgumentError, match="decoder 'cuda:1'"):
        yanrt.Engine(world, device="cpu", decoder="cuda:1")
    with pytest.raises(ArgumentError, match="op_by_op"):
        yanrt.Engine(world, device="cuda-sim", decoder="cuda-sim:1", op_by_op=True)
