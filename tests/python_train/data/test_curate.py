"""Curation: each filter finds what it is for and nothing else, the balancer evens out, samplers obey the result."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from python_train.data.balance import TRANSITIONS, BalanceConfig, balance, properties
from python_train.data.clips import ClipConfig, ClipSampler
from python_train.data.curate import CurateConfig, curate
from python_train.data.curation import Curation
from python_train.data.doom import DOOM_SCHEMA
from python_train.data.episode import Episode, Recording, episode_path, write_episode
from python_train.data.filters import FILTERS, FilterConfig, runs_longer_than
from python_train.data.latents import LatentSampler, LatentSet
from python_train.data.measures import measure_episode
from python_train.data.places import coverage

FRAMES, SIZE = 40, 64


def walk(seed: int = 0) -> Recording:
    """Walks east past coloured blocks, 10 units a frame."""
    rng = np.random.default_rng(seed)
    wall = np.kron(rng.integers(0, 256, (4, 80, 3), dtype=np.uint8), np.ones((16, 16, 1), np.uint8))
    buttons = np.zeros((FRAMES, len(DOOM_SCHEMA)), np.uint8)
    buttons[:, 0] = 1
    return Recording(
        rgb=[wall[:, 16 * i : 16 * i + SIZE] for i in range(FRAMES)],
        depth=np.full((FRAMES, SIZE // 2, SIZE // 2), 20, np.uint8),
        buttons=buttons,
        position=np.stack([np.arange(FRAMES) * 10.0, np.zeros(FRAMES), np.zeros(FRAMES)], 1).astype(np.float32),
        angle=np.zeros(FRAMES, np.float32),
        health=np.full(FRAMES, 100, np.float32),
        tic=np.arange(FRAMES) * 2,
    )


def written(recording: Recording, root: Path, index: int = 0) -> Episode:
    write_episode(episode_path(root, index), recording, DOOM_SCHEMA, {"index": index, "fps": 17.5, "seed": 0})
    return Episode(episode_path(root, index))


def flagged(recording: Recording, root: Path) -> dict[str, list[int]]:
    episode = written(recording, root)
    measures = measure_episode(episode)
    return {
        name: np.flatnonzero(rule(episode, measures, FilterConfig())).tolist() for name, rule in FILTERS.items()
    }


def test_filters_leave_a_walk_alone(tmp_path: Path) -> None:
    assert flagged(walk(), tmp_path) == {"visual": [], "anomaly": [], "rule": []}


def test_visual_filter_finds_a_failed_rendering(tmp_path: Path) -> None:
    recording = walk()
    recording.rgb[7] = np.full((SIZE, SIZE, 3), 90, np.uint8)
    # A brick wall fills the view too, but its texture alone is no structure.
    recording.rgb[20] = np.random.default_rng(0).integers(88, 92, (SIZE, SIZE, 3), dtype=np.uint8)
    assert flagged(recording, tmp_path)["visual"] == [7, 20]


def test_anomaly_filter_finds_stutter_and_lost_frames(tmp_path: Path) -> None:
    recording = walk()
    for frame in range(11, 17):
        recording.rgb[frame] = recording.rgb[10]
    recording.rgb[31] = recording.rgb[32]  # one frame twice is none
    recording.tic[25:] += 2
    found = flagged(recording, tmp_path)
    assert found == {"visual": [], "anomaly": [11, 12, 13, 14, 15, 16, 25], "rule": []}


def test_rule_filter_finds_dead_keys(tmp_path: Path) -> None:
    recording = walk()
    recording.position[10:20] = recording.position[10]
    assert flagged(recording, tmp_path)["rule"] == list(range(11, 20))
    recording.buttons[9:20] = 0
    assert flagged(recording, tmp_path)["rule"] == [], "who presses nothing may stand"
    recording.buttons[9:20] = DOOM_SCHEMA.vector(("TURN_LEFT",))
    recording.angle[10:] = np.arange(FRAMES - 10) * 6
    assert flagged(recording, tmp_path)["rule"] == [], "who turns need not walk"


def test_runs() -> None:
    flags = np.array([1, 1, 0, 1, 1, 1, 0, 1], bool)
    assert runs_longer_than(flags, 2).tolist() == [0, 0, 0, 1, 1, 1, 0, 0]


def test_transitions_tell_collisions_from_walking(tmp_path: Path) -> None:
    recording = walk()
    recording.position[20:30] = recording.position[20]
    recording.buttons[30:] = DOOM_SCHEMA.vector(("MOVE_FORWARD", "TURN_RIGHT"))
    labels = properties(written(recording, tmp_path), np.full(FRAMES, 20.0), BalanceConfig())["transition"]
    names = [TRANSITIONS[label] for label in labels]
    assert names[0] == "still"
    assert set(names[1:21]) == {"walk"}
    assert set(names[21:30]) == {"collision"}
    assert set(names[31:]) == {"walk and turn"}


def test_balance_moves_towards_even_and_keeps_its_limits() -> None:
    rng = np.random.default_rng(0)
    labels = {"position": rng.choice(3, 9000, p=[0.8, 0.15, 0.05]), "near wall": rng.choice(2, 9000, p=[0.7, 0.3])}
    kept = rng.random(9000) < 0.9
    config = BalanceConfig(evenness=1.0, near_share=0.1, limit=50.0)
    weight = balance(labels, kept, config)
    assert weight[~kept].max() == 0
    assert weight[kept].mean() == pytest.approx(1)
    shares = [weight[labels["position"] == bin].sum() / weight.sum() for bin in range(3)]
    np.testing.assert_allclose(shares, 1 / 3, atol=1e-3)
    assert weight[labels["near wall"] == 1].sum() / weight.sum() == pytest.approx(0.1, abs=1e-3)
    half = balance(labels, kept, replace(config, evenness=0.5))
    assert 0.05 < half[labels["position"] == 2].sum() / half.sum() < 1 / 3
    tight = balance(labels, kept, replace(config, limit=1.5))[kept]
    assert tight.max() / tight.min() <= 1.5**2 + 1e-6


def test_curation_decides_what_is_drawn(dataset: Path, latents: Path, tmp_path: Path) -> None:
    result = curate(CurateConfig(dataset, tmp_path))
    first = result.removed.copy()
    names = {path.name for path in tmp_path.iterdir()}
    assert names >= {"curation.safetensors", "report.json", "README.md", "histograms.png", "measures"}
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["frames"] == sum(part["frames"] for part in report["splits"].values()) == len(first)

    result = Curation.load(tmp_path)
    np.testing.assert_array_equal(result.removed, first)
    # Keep nothing of the training episodes but 30 frames of episode 0 and episode 1's second half.
    for episode, start, stop in ((0, 10, 40), (1, 30, 60)):
        result.weights(episode)[:] = 0
        result.weights(episode)[start:stop] = 1
    result.weights(1)[30:] = 3
    result.save(tmp_path / "curation.safetensors")
    config = ClipConfig(root=str(dataset), curation=str(tmp_path))
    sampler = ClipSampler(config, "train", 4, 0)
    places = sampler.places(0, 4000)
    allowed = {0: range(10, 37), 1: range(30, 57)}
    drawn = [(sampler.episodes[episode].info["index"], start) for episode, start in places]
    assert all(start in allowed[episode] for episode, start in drawn)
    assert sum(episode == 1 for episode, _ in drawn) / len(drawn) == pytest.approx(0.75, abs=0.03)

    data = LatentSet(latents / "train.safetensors")
    chosen = LatentSampler(data, config, 2, 0).places(0, 4000)
    begins = {episode: np.flatnonzero(data.episode == episode)[0] for episode in (0, 1)}
    latent_allowed = {*range(begins[0] + 5, begins[0] + 19), *range(begins[1] + 15, begins[1] + 29)}
    assert set(chosen.tolist()) == latent_allowed


def test_an_interrupted_curation_goes_on(dataset: Path, tmp_path: Path) -> None:
    whole = curate(CurateConfig(dataset, tmp_path / "whole"))
    curate(CurateConfig(dataset, tmp_path / "parts"))
    measured = sorted((tmp_path / "parts" / "measures").iterdir())
    kept = measured[1].stat().st_mtime_ns
    measured[0].unlink()
    again = curate(CurateConfig(dataset, tmp_path / "parts"))
    assert measured[0].exists()
    assert measured[1].stat().st_mtime_ns == kept
    np.testing.assert_array_equal(again.weight, whole.weight)


def test_errors_name_the_remedy(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="python_train curate"):
        Curation.load(tmp_path)
    result = curate(CurateConfig(dataset, tmp_path))
    with pytest.raises(ValueError, match="curate again"):
        result.weights(99)
    result.weight[:] = 0
    result.save(tmp_path / "curation.safetensors")
    with pytest.raises(ValueError, match="loosen the filters"):
        ClipSampler(ClipConfig(root=str(dataset), curation=str(tmp_path)), "train", 4, 0)


def test_coverage_counts_cells_and_headings() -> None:
    position = np.array([[0, 0, 0], [63, 0, 0], [64, 0, 0], [-1, 0, 0], [0, 0, 9]], np.float32)
    assert coverage(position, np.array([0, 44, 0, 0, -1], np.float32)) == {"cells": 3, "states": 4}
