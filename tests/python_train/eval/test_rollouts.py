"""Rollout scores: a player that knows the future reaches the upper bound, one that repeats the past the baseline."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from python_train.configs import tiny
from python_train.eval.player import TorchPlayer
from python_train.eval.rollouts import WRONG, encode_all, encode_context, play_ways, score, table
from python_train.eval.sim import SimEvalConfig, SimEvaluation
from python_train.eval.starts import Starts, draw_starts, wrong_actions
from python_train.sim.validate import CONTEXT

AHEAD = 4


@pytest.fixture
def starts(dataset: Path) -> Starts:
    return draw_starts(dataset, "test", 6, AHEAD, seed=0)


def test_actions_and_frames_of_starts_belong_together(starts: Starts) -> None:
    """The synthetic picture slides by 3 pixels for each frame that a turn is held."""
    frames = torch.cat([starts.context_frames(), starts.future_frames(range(1, AHEAD + 1))], 1)
    assert frames.shape[:3] == (6, CONTEXT + AHEAD, 2)
    for start in range(len(starts)):
        for latent in range(1, CONTEXT + AHEAD):
            before = [frames[start, latent - 1, 1], frames[start, latent, 0]]
            for frame, held in enumerate(starts.actions[start, latent]):
                slid = torch.roll(before[frame], 3 * int(held[5] - held[4]), 1)
                # JPEG blurs the stripes a little.
                assert (slid.float() - frames[start, latent, frame].float()).abs().mean() < 12


def test_wrong_actions_begin_with_another_movement(starts: Starts) -> None:
    wrong = wrong_actions(starts.actions, 0)
    assert torch.equal(wrong[:, :CONTEXT], starts.actions[:, :CONTEXT])
    assert (wrong[:, CONTEXT] != starts.actions[:, CONTEXT]).flatten(1).any(1).all()
    assert torch.equal(wrong, wrong_actions(starts.actions, 0))
    with pytest.raises(ValueError, match="same movement"):
        wrong_actions(starts.actions[:1].repeat(3, 1, 1, 1), 0)


def test_scores_between_upper_bound_and_baseline(starts: Starts, lossless: Any) -> None:
    truth = starts.future_frames(range(1, AHEAD + 1))

    def play(context: Tensor, actions: Tensor, schedule: str, seed: int) -> Tensor:
        if torch.equal(actions, starts.actions):
            return encode_all(player, truth)
        return context[:, -1:].repeat(1, AHEAD, 1, 1, 1)

    player = lossless(play)
    context = encode_context(player, starts)
    actions = {"": starts.actions, WRONG: wrong_actions(starts.actions, 0)}
    ways = play_ways(player, context, actions, ("shift",), seeds=2, seed=0)
    assert ways["shift"].shape[:3] == (2, 6, AHEAD)
    scores = score(player, starts, context, ways)
    for metric in ("psnr", "ssim"):
        assert torch.equal(scores["shift"][metric], scores["reconstruction"][metric])
        assert torch.equal(scores["shift" + WRONG][metric], scores["repeat last"][metric])
    rows = table(scores, AHEAD, 0)
    assert list(rows["shift"]["psnr"]) == [1, 2, 4]
    assert rows["shift"]["psnr"][4][0] == 100
    mean, low, high = rows["shift - repeat last"]["psnr"][4]
    assert 0 < low <= mean <= high
    assert rows["shift - shift, wrong actions"] == rows["shift - repeat last"]


def test_a_checkpoint_goes_through_every_measure(dataset: Path) -> None:
    torch.manual_seed(0)
    player = TorchPlayer(tiny.sim_model().build().eval())
    config = SimEvalConfig(dataset, starts=4, seeds=2, ahead=4, circles=0, plays=2, play_latents=12)
    evaluation = SimEvaluation(player, config)
    report = evaluation.run()
    ways = {schedule + name for schedule in config.schedules for name in ("", WRONG)}
    assert ways < set(report["rollouts"])
    assert set(report["contradictions"]) == {"threshold", "looks", "shift", "shift, wrong actions", "repeat last"}
    assert report["free_play"]["frames_looked_at"] == 24
    assert evaluation.shown.sheets.keys() == {"rollouts", "free_play"}
    assert evaluation.shown.walk is not None
    assert evaluation.shown.walk.shape == (4 * 4 * 2, 64, 3 * 64, 3)
    alone = player.play(
        encode_context(player, starts := draw_starts(dataset, "test", 4, 4, 0))[2:3], starts.actions[2:3], "shift", 2
    )
    together = player.play(encode_context(player, starts), starts.actions, "shift", 0)
    torch.testing.assert_close(alone[0], together[2], atol=1e-4, rtol=1e-4)
