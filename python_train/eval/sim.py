"""All measures of a simulator, through any player (docs/fidelity.md says what each of them means)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .circle import return_test
from .contradiction import EVERY, contradictions
from .features import Features
from .free_play import free_plays
from .player import Player
from .rollouts import (
    BASELINE,
    HORIZONS,
    WRONG,
    decode_all,
    encode_all,
    encode_context,
    horizons_up_to,
    play_ways,
    score,
    table,
)
from .sheets import sheet
from .starts import Starts, draw_open_starts, draw_starts, wrong_actions

SHEET_STARTS, SHEET_CIRCLES, SHEET_PLAYS, SHEET_LOOKS, WALKS = 6, 10, 10, 8, 4


@dataclass(frozen=True)
class SimEvalConfig:
    """How much is measured. `circles` and `plays` are numbers of starts, 0 leaves the test out; the first schedule is
    the one that circles, plays and is looked at for contradictions."""

    data: Path
    split: str = "test"
    starts: int = 64
    seeds: int = 3
    ahead: int = HORIZONS[-1]
    schedules: tuple[str, ...] = ("shift", "sequential")
    contradictions: bool = True
    circles: int = 50
    plays: int = 0
    play_latents: int = 1000
    seed: int = 0


@dataclass
class Shown:
    """What the numbers looked like: contact sheets by name, and walks uint8 `[F,H,3W,3]` (recorded, played with true,
    with wrong actions)."""

    sheets: dict[str, np.ndarray] = field(default_factory=dict)
    walk: Tensor | None = None


class SimEvaluation:
    """One player's measures. `scores` (rollouts.score) are kept, to compare players start by start."""

    def __init__(self, player: Player, config: SimEvalConfig) -> None:
        self.player, self.config = player, config
        self.report: dict[str, Any] = {"seconds": {}}
        self.shown = Shown()
        self.scores: dict[str, dict[str, Tensor]] = {}

    def run(self) -> dict[str, Any]:
        """Every measure that the config asks for, as data for JSON."""
        config = self.config
        starts = draw_starts(config.data, config.split, config.starts, config.ahead, config.seed)
        context = encode_context(self.player, starts)
        with self._timed("rollouts"):
            ways = self._rollouts(starts, context)
        if config.contradictions:
            with self._timed("contradictions"):
                self._contradictions(starts, context, ways)
        if config.circles:
            with self._timed("circle"):
                self._circle()
        if config.plays:
            with self._timed("free_play"):
                self._free_play()
        return self.report

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.report["seconds"][name] = round(time.monotonic() - began, 1)

    def _rollouts(self, starts: Starts, context: Tensor) -> dict[str, Tensor]:
        config = self.config
        actions = {"": starts.actions, WRONG: wrong_actions(starts.actions, config.seed)}
        ways = play_ways(self.player, context, actions, config.schedules, config.seeds, config.seed)
        self.scores = score(self.player, starts, context, ways)
        self.report["rollouts"] = table(self.scores, config.ahead, config.seed)
        self._show_rollouts(starts, context, ways)
        return ways

    def _show_rollouts(self, starts: Starts, context: Tensor, ways: dict[str, Tensor]) -> None:
        """Four rows a start: recorded, reconstructed, played with true and with wrong actions."""
        way = self.config.schedules[0]
        horizons = horizons_up_to(self.config.ahead)
        count = min(SHEET_STARTS, len(starts))
        places = [horizon - 1 for horizon in horizons]
        truth = starts.future_frames(horizons)[:count]
        rebuilt = decode_all(self.player, encode_all(self.player, truth))
        true, wrong = (decode_all(self.player, ways[name][0, :count, places]) for name in (way, way + WRONG))
        rows = [row[start, :, 0] for start in range(count) for row in (truth, rebuilt, true, wrong)]
        self.shown.sheets["rollouts"] = sheet(rows)
        walks = min(WALKS, len(starts))
        recorded = starts.future_frames(range(1, self.config.ahead + 1))[:walks]
        played = [decode_all(self.player, ways[name][0, :walks]) for name in (way, way + WRONG)]
        self.shown.walk = torch.cat([recorded, *played], dim=-2).flatten(0, 2)

    def _contradictions(self, starts: Starts, context: Tensor, ways: dict[str, Tensor]) -> None:
        looks = list(range(EVERY, self.config.ahead + 1, EVERY))
        places = [look - 1 for look in looks]
        truth = starts.future_frames(looks)
        right = decode_all(self.player, encode_all(self.player, truth))
        way = self.config.schedules[0]
        seen = {name: decode_all(self.player, ways[name][0][:, places])[:, :, 0] for name in (way, way + WRONG)}
        last = decode_all(self.player, context[:, -1:])[:, :, 0]
        seen[BASELINE] = last.expand(-1, len(looks), -1, -1, -1)
        self.report["contradictions"] = contradictions(Features(), right[:, :, 0], seen, looks)

    def _circle(self) -> None:
        config = self.config
        starts = draw_open_starts(config.data, config.split, config.circles, config.seed)
        self.report["circle"], seen = return_test(self.player, starts, config.schedules[0], config.seed)
        self.shown.sheets["circle"] = sheet(list(seen[:SHEET_CIRCLES]))

    def _free_play(self) -> None:
        config = self.config
        starts = draw_starts(config.data, config.split, config.plays, 0, config.seed)
        self.report["free_play"], seen = free_plays(
            self.player, starts, config.data, config.split, config.play_latents, config.schedules[0], config.seed
        )
        looks = np.linspace(0, seen.shape[1] - 1, SHEET_LOOKS).astype(int)
        self.shown.sheets["free_play"] = sheet(list(seen[:SHEET_PLAYS, looks]))
