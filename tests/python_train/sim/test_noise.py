"""Noise patterns of training clips."""

import torch

from python_train.sim.noise import NoiseConfig, independent, sample_levels, scattered, shift_window

GRADES = (0.0, 0.4, 0.75, 1.0)


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_shift_window_is_clean_then_graded_then_noise() -> None:
    levels, behind = shift_window(200, 8, GRADES, rng())
    prefixes = (levels == 0).sum(1)
    assert set(prefixes.tolist()) == {1, 2, 3, 4, 5}
    for row, after, prefix in zip(levels, behind, prefixes.tolist(), strict=True):
        expected = [0.0] * prefix + [0.4, 0.75] + [1.0] * 8
        assert torch.equal(row, torch.tensor(expected[:8]))
        assert torch.equal(after, torch.arange(8) >= prefix + 3)


def test_shift_window_shows_every_evaluation() -> None:
    """What the second evaluation of a call sees is half-way to the grades below; behind it there is noise."""
    fine = (0.0, 0.2, 0.4, 0.575, 0.75, 0.875, 1.0)
    levels, behind = shift_window(200, 8, fine, rng(), first=2, evaluations=2)
    seen = {tuple(row[(row > 0) & ~after].tolist()) for row, after in zip(levels, behind, strict=True)}
    assert seen == {tuple(torch.tensor(part).tolist()) for part in ((0.4, 0.75, 1.0), (0.2, 0.575, 0.875))}
    assert (levels[behind] == 1).all()
    assert behind.any()


def test_scattered_levels_are_clean_or_grades() -> None:
    levels = scattered(400, 8, GRADES, 0.5, rng())
    assert torch.isin(levels, torch.tensor(GRADES)).all()
    assert abs((levels == 0).float().mean() - 0.5) < 0.05


def test_independent_levels_differ_within_a_clip() -> None:
    levels = independent(50, 8, NoiseConfig(), rng())
    assert ((levels > 0) & (levels < 1)).all()
    assert (levels.std(1) > 0.01).all()


def test_shares_of_the_patterns() -> None:
    config = NoiseConfig(shift=0.3, scattered=0.3)
    levels = sample_levels(2000, 8, GRADES, config, rng())
    on_grade = torch.isin(levels, torch.tensor(GRADES))
    only_grades = on_grade.all(1)
    no_grade = ~on_grade.any(1)
    assert abs(no_grade.float().mean() - 0.4) < 0.05
    assert only_grades.float().mean() > 0.3
    assert torch.equal(levels, sample_levels(2000, 8, GRADES, config, rng()))
