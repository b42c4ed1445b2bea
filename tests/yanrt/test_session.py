import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.yanrt.tiny_world import write_tiny_world
from yanrt import ArgumentError, Engine, Session, StateError, UnsupportedError

SCRIPT = [{"BRIGHTER"}, None, {"KeyS"}, ["BRIGHTER", "DARKER"], [{"BRIGHTER"}, None], None]


def rollout(session: Session, seed: int = 3, actions=SCRIPT) -> np.ndarray:
    session.reset(seed)
    return np.stack([session.step(action)[0] for action in actions])


# ---- frames, actions, info -------------------------------------------------------------------------------------------
def test_reset_and_step_return_frames(session: Session) -> None:
    obs, info = session.reset(seed=1)
    frames, _ = session.step({"BRIGHTER"})
    for picture in (obs, frames):
        assert picture.dtype == np.uint8
        assert picture.shape == (2, 4, 6, 3)
        assert picture.flags.c_contiguous
    assert info["latent_index"] == -1


@pytest.mark.parametrize("schedule", ["shift", "sequential"])
def test_an_action_first_shows_in_the_frame_that_info_names(tiny: Path, schedule: str) -> None:
    with Session(tiny, schedule=schedule, precision="fp32") as session:
        session.reset(seed=5)
        still = [session.step()[0] for _ in range(6)]
        session.reset(seed=5)
        pressed, infos = zip(*[session.step({"BRIGHTER"} if step == 1 else None) for step in range(6)], strict=True)
    changed = [np.any(one != other) for one, other in zip(still, pressed, strict=True)]
    assert changed.index(True) * 2 == infos[1]["action_frame"]
    assert [info["frame_index"] for info in infos] == [0, 2, 4, 6, 8, 10]
    assert [info["latent_index"] for info in infos] == list(range(6))
    assert [info["warmup"] for info in infos] == [step < session.delay for step in range(6)]


def test_info_tells_times_and_memory(session: Session) -> None:
    session.reset()
    _, info = session.step()
    timing = info["timing"]
    assert list(timing) == ["denoise", "decode", "copy", "total"]
    assert timing["total"] == pytest.approx(timing["denoise"] + timing["decode"] + timing["copy"])
    assert all(time >= 0 for time in timing.values())
    memory = info["memory"]
    assert memory["total"] == memory["weights"] + memory["workspace"] + memory["state"]
    assert memory["state"] >= 4 * (4 * 6 * 6) * 4  # window and last, float32


def test_per_frame_actions_and_vectors_are_the_same_actions(session: Session) -> None:
    same = [[{"BRIGHTER"}] * 3, [[[1, 0], [1, 0]]] * 3, [np.array([1.0, 0.0])] * 3]
    first, *others = (rollout(session, actions=actions) for actions in same)
    for other in others:
        np.testing.assert_array_equal(first, other)


def test_out_receives_the_frames(session: Session) -> None:
    expected = rollout(session)
    session.reset(3)
    out = np.zeros((2, 4, 6, 3), np.uint8)
    for action, frames in zip(SCRIPT, expected, strict=True):
        returned, _ = session.step(action, out=out)
        assert returned is out
        np.testing.assert_array_equal(out, frames)


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (np.zeros((2, 4, 6, 4), np.uint8), r"uint8 \[2, 4, 6, 3\], got uint8 \[2, 4, 6, 4\]"),
        (np.zeros((2, 4, 6, 3), np.float32), "got float32"),
        ([0], "got list"),
        (np.zeros((2, 4, 6, 6), np.uint8)[..., ::2], "contiguous"),
        (np.broadcast_to(np.zeros((), np.uint8), (2, 4, 6, 3)), "contiguous"),
    ],
)
def test_a_wrong_out_is_named(session: Session, out, message: str) -> None:
    session.reset()
    with pytest.raises(ArgumentError, match=message):
        session.step(None, out=out)


# ---- where a world starts --------------------------------------------------------------------------------------------
def test_the_seed_chooses_the_start_and_the_noise(session: Session) -> None:
    starts = [session.reset(seed)[0] for seed in range(6)]
    assert not np.array_equal(starts[0], starts[1])
    np.testing.assert_array_equal(starts[0], starts[3])  # three starts in the package
    assert not np.array_equal(rollout(session, 0), rollout(session, 3))
    session.reset(2)
    np.testing.assert_array_equal(session.reset()[0], starts[2])  # without one: the same seed again


def test_reset_from_frames_shows_their_last_ones(session: Session) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (6, 4, 6, 3), np.uint8)
    obs, _ = session.reset(frames=frames)
    np.testing.assert_array_equal(obs, frames[-2:])  # the tiny world's codec is exact
    with_actions, _ = session.reset(frames=frames, actions=[None, "BRIGHTER", {"DARKER"}])
    np.testing.assert_array_equal(with_actions, obs)


def test_append_frame_continues_from_it(session: Session) -> None:
    bright = np.full((2, 4, 6, 3), 250, np.uint8)
    session.reset(1)
    session.step({"DARKER"})
    session.append_frame(bright, {"BRIGHTER"})
    frames, info = session.step()
    # delay + 1 calls have each kept half of the picture's distance from grey, and noise is small.
    distance = (250 - 128) / 2 ** (session.delay + 1)
    assert abs(float(frames.mean()) - 128 - distance) < 3
    assert info["latent_index"] == 1


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (np.zeros((2, 4, 5, 3), np.uint8), r"\[n\*2, 4, 6, 3\].*got shape \[2, 4, 5, 3\]"),
        (np.zeros((3, 4, 6, 3), np.uint8), r"got shape \[3, 4, 6, 3\]"),
        (np.zeros((0, 4, 6, 3), np.uint8), r"got shape \[0, 4, 6, 3\]"),
        (np.zeros((4, 6, 3), np.uint8), r"got shape \[4, 6, 3\]"),
        (np.zeros((2, 4, 6, 3), np.float32), "got dtype float32"),
    ],
)
def test_wrong_frames_are_named(session: Session, frames, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        session.reset(frames=frames)
    session.reset()
    with pytest.raises(ArgumentError, match=message):
        session.append_frame(frames)


def test_frames_and_actions_must_agree(session: Session) -> None:
    frames = np.zeros((4, 4, 6, 3), np.uint8)
    with pytest.raises(ArgumentError, match="4 frames are 2 latents of 2, got 3 actions"):
        session.reset(frames=frames, actions=[None] * 3)
    with pytest.raises(ArgumentError, match="actions describe frames"):
        session.reset(actions=[None])
    session.reset()
    with pytest.raises(ArgumentError, match="append_frame takes 2 frames, got 4"):
        session.append_frame(frames)


def test_a_failed_call_changes_nothing(session: Session) -> None:
    expected = rollout(session)
    session.reset(3)
    for action, frames in zip(SCRIPT, expected, strict=True):
        with pytest.raises(ArgumentError):
            session.step({"JUMP"})
        with pytest.raises(ArgumentError):
            session.append_frame(np.zeros((1, 1, 1, 3), np.uint8))
        with pytest.raises(ArgumentError):
            session.reset(frames=np.zeros((1, 1, 1, 3), np.uint8))
        np.testing.assert_array_equal(session.step(action)[0], frames)


def test_a_package_without_starts_asks_for_frames(tmp_path: Path) -> None:
    with Session(write_tiny_world(tmp_path / "bare.safetensors", starts=0)) as session:
        with pytest.raises(StateError, match=r"no start latents; call reset\(frames=...\)"):
            session.reset()
        obs, _ = session.reset(frames=np.full((2, 4, 6, 3), 9, np.uint8))
        assert (obs == 9).all()


# ---- determinism and saved state -------------------------------------------------------------------------------------
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_same_bytes_whatever_the_threads(tiny: Path, precision: str) -> None:
    runs = []
    for threads in (1, 2, 1):
        with Session(tiny, precision=precision, threads=threads) as session:
            runs.append(rollout(session).tobytes())
    assert len(set(runs)) == 1


def test_snapshot_restores_in_place_and_elsewhere(session: Session, tiny: Path) -> None:
    session.reset(3)
    session.step({"BRIGHTER"})
    saved = session.snapshot()
    expected = [session.step(action) for action in SCRIPT]
    with Session(tiny, precision="fp32") as other:
        for target in (session, other):
            target.restore(saved)
            for action, (frames, info) in zip(SCRIPT, expected, strict=True):
                again, told = target.step(action)
                np.testing.assert_array_equal(again, frames)
                assert told["frame_index"] == info["frame_index"]


def test_a_snapshot_of_another_kind_is_refused(session: Session, tiny: Path) -> None:
    session.reset()
    saved = session.snapshot()
    with Session(tiny, precision="fp32", schedule="sequential") as other, pytest.raises(ArgumentError):
        other.restore(saved)
    for damaged in (b"", saved[:-1], saved[:40] + bytes([saved[40] ^ 1]) + saved[41:]):
        with pytest.raises(ArgumentError):
            session.restore(damaged)


def test_forks_go_their_own_ways(session: Session) -> None:
    session.reset(3)
    session.step({"BRIGHTER"})
    with session.fork() as fork:
        for action in SCRIPT:
            np.testing.assert_array_equal(session.step(action)[0], fork.step(action)[0])
        for _ in range(3):
            bright, dark = session.step({"BRIGHTER"})[0], fork.step({"DARKER"})[0]
        assert bright.mean() > dark.mean()


def test_the_same_bytes_in_another_process(session: Session, tiny: Path) -> None:
    code = (
        "import sys, yanrt\n"
        f"with yanrt.Session({str(tiny)!r}, precision='fp32') as session:\n"
        "    session.reset(3)\n"
        "    for action in ({'BRIGHTER'}, None, {'DARKER'}):\n"
        "        sys.stdout.buffer.write(session.step(action)[0].tobytes())\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert run.stdout == rollout(session, 3, [{"BRIGHTER"}, None, {"DARKER"}]).tobytes()


# ---- sharing and ending ----------------------------------------------------------------------------------------------
def test_sessions_share_an_engine_and_run_in_threads(tiny: Path) -> None:
    engine = Engine(tiny, precision="fp32", threads=2)
    with Session(engine) as alone:
        expected = {seed: rollout(alone, seed).tobytes() for seed in range(4)}
    found: dict[int, bytes] = {}

    def play(seed: int) -> None:
        with Session(engine) as session:
            found[seed] = rollout(session, seed).tobytes()

    players = [threading.Thread(target=play, args=(seed,)) for seed in expected]
    for player in players:
        player.start()
    for player in players:
        player.join()
    assert found == expected
    with pytest.raises(ArgumentError, match="belong to the Engine"):
        Session(engine, threads=1)


def test_steps_of_one_session_from_many_threads_are_counted_once(session: Session) -> None:
    session.reset()
    seen: list[int] = []
    players = [
        threading.Thread(target=lambda: seen.extend(session.step()[1]["latent_index"] for _ in range(50)))
        for _ in range(4)
    ]
    for player in players:
        player.start()
    for player in players:
        player.join()
    assert sorted(seen) == list(range(200))


def test_calls_at_the_wrong_moment(tiny: Path) -> None:
    frames = np.zeros((2, 4, 6, 3), np.uint8)
    session = Session(tiny)
    for call in (session.step, session.snapshot, lambda: session.append_frame(frames)):
        with pytest.raises(StateError, match=r"call reset\(\) before"):
            call()
    session.close()
    session.close()
    assert session.closed
    for call in (session.reset, session.step, session.snapshot, session.fork, lambda: session.restore(b"")):
        with pytest.raises(StateError, match="closed"):
            call()


def test_a_batch_is_that_many_single_worlds(tmp_path: Path, tiny: Path) -> None:
    with Session(write_tiny_world(tmp_path / "two.safetensors", batch=2), precision="fp32") as both:
        obs, _ = both.reset(1)
        frames = [both.step([{"BRIGHTER"}, {"DARKER"}])[0] for _ in range(4)]
    assert obs.shape == frames[0].shape == (2, 2, 4, 6, 3)
    with Session(tiny, precision="fp32") as alone:
        for entry, action in enumerate(["BRIGHTER", "DARKER"]):
            np.testing.assert_array_equal(obs[entry], alone.reset(1 + entry)[0])
            for step in frames:
                np.testing.assert_array_equal(step[entry], alone.step(action)[0])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"precision": "fp64"}, ArgumentError, "'fp64'; valid are auto, fp32, bf16"),
        ({"schedule": "slow"}, ArgumentError, "'slow'; it has 'sequential', 'shift'"),
        ({"threads": 0}, ArgumentError, "at least 1, got 0"),
        ({"device": "cuda"}, UnsupportedError, "cuda"),
        ({"device": "abacus"}, (ArgumentError, UnsupportedError), "abacus"),
        ({"isa": "sse9"}, (ArgumentError, UnsupportedError), "sse9"),
    ],
)
def test_wrong_options_are_named(tiny: Path, options: dict, error, message: str) -> None:
    with pytest.raises(error, match=message):
        Session(tiny, **options)
