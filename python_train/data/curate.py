"""Curation of a data set: measures every frame, filters, balances, and writes the result beside the data.

Measures are kept an episode a file in `measures/`, so an interrupted run goes on, and new thresholds cost no decoding.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors.numpy import load_file, save_file
from tqdm import tqdm

from ..common.seeding import numpy_rng
from .balance import NEAR, TRANSITIONS, BalanceConfig, balance, properties
from .card import dataset_card
from .curation import CURATION_FILE, Curation
from .episode import Episode, list_episodes
from .filters import FILTERS, FilterConfig, Measures
from .measures import measure_episode
from .pictures import example_sheet, histogram_chart
from .places import coverage
from .split import SPLITS, split_of

EXAMPLES = 24
LABELS = {"near wall": NEAR, "transition": TRANSITIONS}


@dataclass(frozen=True)
class CurateConfig:
    """The episodes in `root` are read alone; everything is written to `out`."""

    root: Path
    out: Path
    filters: FilterConfig = field(default_factory=FilterConfig)
    balance: BalanceConfig = field(default_factory=BalanceConfig)


def curate(config: CurateConfig) -> Curation:
    """Writes curation.safetensors, report.json, README.md (the data set's card), removed_FILTER.png and histograms.png."""
    config.out.mkdir(parents=True, exist_ok=True)
    episodes = {index: Episode(path) for index, path in list_episodes(config.root).items()}
    bits, labels = [], []
    for index, episode in tqdm(episodes.items(), desc="curate", unit="episode", mininterval=5):
        measures = _measures(config.out / "measures" / f"{index:06d}.safetensors", episode)
        flags = [rule(episode, measures, config.filters) for rule in FILTERS.values()]
        bits.append(sum(flag.astype(np.uint8) << bit for bit, flag in enumerate(flags)))
        labels.append(properties(episode, measures["openness"], config.balance))
    removed = np.concatenate(bits).astype(np.uint8)
    merged = {name: np.concatenate([label[name] for label in labels]) for name in labels[0]}
    weight = balance(merged, removed == 0, config.balance).astype(np.float32)
    lengths = [len(episode) for episode in episodes.values()]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    result = Curation(np.array(list(episodes), np.int64), offsets, removed, weight, {})
    before, after = _histograms(merged, np.ones(len(weight))), _histograms(merged, weight)
    result.report = _report(config, list(episodes.values()), result, before, after)
    result.save(config.out / CURATION_FILE)
    (config.out / "report.json").write_text(json.dumps(result.report, indent=1))
    (config.out / "README.md").write_text(dataset_card(result.report))
    _draw(config.out, list(episodes.values()), result, before, after)
    return result


def _measures(path: Path, episode: Episode) -> Measures:
    if path.exists():
        known: Measures = load_file(path)
        return known
    measures = measure_episode(episode)
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_suffix(".partial")
    save_file(measures, temporary)
    os.replace(temporary, path)
    return measures


def _histograms(labels: dict[str, np.ndarray], weight: np.ndarray) -> dict[str, dict[str, float]]:
    """Share of each bin, by property and the bin's name, in one order whatever the weights."""
    result = {}
    for name, values in labels.items():
        bins, index = np.unique(values, return_inverse=True)
        shares = np.bincount(index, weight, minlength=len(bins)) / weight.sum()
        names = LABELS.get(name)
        result[name] = {names[bin] if names else str(bin): float(s) for bin, s in zip(bins, shares, strict=True)}
    return result


def _report(
    config: CurateConfig,
    episodes: list[Episode],
    result: Curation,
    before: dict[str, dict[str, float]],
    after: dict[str, dict[str, float]],
) -> dict[str, Any]:
    lengths = np.diff(result.offsets)
    splits = {
        split: {
            "episodes": int(sum(split_of(int(i)) == split for i in result.episodes)),
            "frames": int(sum(n for i, n in zip(result.episodes, lengths, strict=True) if split_of(int(i)) == split)),
        }
        for split in SPLITS
    }
    first = episodes[0].info
    position = np.concatenate([episode.position for episode in episodes])
    angle = np.concatenate([episode.angle for episode in episodes])
    return {
        "frames": int(lengths.sum()),
        "episodes": len(episodes),
        "fps": first["fps"],
        "size": [first["height"], first["width"]],
        "buttons": list(episodes[0].schema.names),
        "policies": sorted({str(episode.info.get("policy")) for episode in episodes}),
        "seeds": sorted({int(episode.info.get("seed", 0)) for episode in episodes}),
        "game": first.get("game", {}),
        "splits": splits,
        "coverage": coverage(position, angle),
        "filters": asdict(config.filters),
        "balance": asdict(config.balance),
        "removed": result.removed_shares,
        # Drawing by weights is worth as much as so many frames drawn evenly (Kish).
        "effective_frames": float(result.weight.sum() ** 2 / np.square(result.weight, dtype=np.float64).sum()),
        "histograms": {"recorded": before, "drawn": after},
    }


def _draw(
    out: Path,
    episodes: list[Episode],
    result: Curation,
    before: dict[str, dict[str, float]],
    after: dict[str, dict[str, float]],
) -> None:
    for bit, name in enumerate(FILTERS):
        path = out / f"removed_{name}.png"
        path.unlink(missing_ok=True)
        found = np.flatnonzero(result.removed >> bit & 1)
        if len(found):
            chosen = np.sort(numpy_rng(0, bit).choice(found, min(EXAMPLES, len(found)), replace=False))
            owners = np.searchsorted(result.offsets, chosen, side="right") - 1
            places = [(episodes[e], int(f - result.offsets[e])) for e, f in zip(owners, chosen, strict=True)]
            Image.fromarray(example_sheet(places)).save(path)
    shares = [{name: list(bins.values()) for name, bins in histograms.items()} for histograms in (before, after)]
    histogram_chart(*shares).save(out / "histograms.png")
