"""Episodes on disk: what is written is read back, by clips, and nothing half-written is ever found."""

from pathlib import Path

import numpy as np
import pytest

from python_train.data import episode as episode_module
from python_train.data.doom import DOOM_SCHEMA
from python_train.data.episode import Episode, episode_path, list_episodes, write_episode
from python_train.data.split import SPLITS, split_of
from tests.python_train.conftest import EPISODES, FRAMES, synthetic_recording


def test_round_trip(dataset: Path) -> None:
    recording, episode = synthetic_recording(1), Episode(episode_path(dataset, 1))
    assert len(episode) == FRAMES
    assert episode.schema == DOOM_SCHEMA
    np.testing.assert_array_equal(episode.buttons, recording.buttons)
    np.testing.assert_array_equal(episode.depth(5, 9), recording.depth[5:9])
    np.testing.assert_array_equal(episode.tic, recording.tic)


def test_a_clip_decodes_its_own_frames(dataset: Path) -> None:
    """JPEG loses a little of a noisy picture, but a frame must be closest to itself."""
    recording, episode = synthetic_recording(1), Episode(episode_path(dataset, 1))
    clip = episode.frames(20, 23).astype(int)
    assert clip.shape == (3, 64, 64, 3)
    for offset in range(3):
        error = [np.abs(clip[offset] - frame).mean() for frame in recording.rgb]
        assert error[20 + offset] == min(error)
        assert error[20 + offset] < 4


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (5, 5), (FRAMES - 1, FRAMES + 1)])
def test_frames_outside_are_refused(dataset: Path, start: int, stop: int) -> None:
    with pytest.raises(IndexError, match=f"{start}"):
        Episode(episode_path(dataset, 0)).frames(start, stop)


def test_an_interrupted_write_leaves_no_episode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(episode_module.os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        write_episode(episode_path(tmp_path, 0), synthetic_recording(0), DOOM_SCHEMA, {})
    with pytest.raises(ValueError, match="no episodes"):
        list_episodes(tmp_path)


def test_another_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(episode_module, "FORMAT_VERSION", 99)
    write_episode(episode_path(tmp_path, 0), synthetic_recording(0), DOOM_SCHEMA, {})
    monkeypatch.undo()
    with pytest.raises(ValueError, match="format 99"):
        Episode(episode_path(tmp_path, 0))


def test_every_split_is_present_and_small_ones_are_small() -> None:
    assert {split_of(index) for index in range(EPISODES)} == set(SPLITS)
    share = [split_of(index) for index in range(4000)]
    assert share.count("train") > 0.85 * len(share)
    assert min(share.count("val"), share.count("test")) > 0.03 * len(share)
