"""Measures: they know equal from different, and the evaluations run from a checkpoint."""

from pathlib import Path

import torch

from python_train.configs import tiny
from python_train.eval.metrics import psnr, sharpness, ssim
from python_train.eval.sim import HORIZONS, evaluate_sim
from python_train.eval.vae import evaluate_vae, thumbnail


def test_metrics_of_known_pictures() -> None:
    picture = torch.randint(0, 200, (2, 32, 32, 3), dtype=torch.uint8)
    assert psnr(picture, picture).tolist() == [100, 100]
    torch.testing.assert_close(psnr(picture, picture + 10), torch.full((2,), 28.1308), atol=1e-3, rtol=0)
    assert ssim(picture, picture) > 0.999
    assert ssim(picture, picture.flip(0)) < 0.3
    assert sharpness(torch.full_like(picture, 7), picture) == 0


def test_thumbnail_holds_no_more_values_than_asked() -> None:
    frames = torch.randint(0, 256, (1, 64, 64, 3), dtype=torch.uint8)
    assert thumbnail(frames, 48).shape == frames.shape
    flat = torch.full_like(frames, 90)
    assert torch.equal(thumbnail(flat, 48), flat)


def test_evaluations_report_every_way(dataset: Path, latents: Path) -> None:
    sim = tiny.sim_model().build().eval()
    report = evaluate_vae(sim.vae, dataset, "test", 3)
    assert report["thumbnail"]["psnr"] > 5
    played = evaluate_sim(sim, latents, "val", 3)
    assert set(played["psnr"]) == {
        "repeat last", "shift", "shift, wrong actions", "sequential", "sequential, wrong actions"
    }  # fmt: skip
    assert all(tuple(row) == HORIZONS for row in played["psnr"].values())
    assert played["one_step"]["repeat_last"] >= 0
