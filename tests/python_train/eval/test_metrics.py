"""Picture metrics know equal from different; a mean knows how sure it is."""

from pathlib import Path

import numpy as np
import torch

from python_train.configs import tiny
from python_train.eval.intervals import estimate
from python_train.eval.metrics import psnr, sharpness, ssim
from python_train.eval.vae import evaluate_vae, thumbnail, vae_sheet


def test_metrics_of_known_pictures() -> None:
    picture = torch.randint(0, 200, (2, 32, 32, 3), dtype=torch.uint8)
    assert psnr(picture, picture).tolist() == [100, 100]
    torch.testing.assert_close(psnr(picture, picture + 10), torch.full((2,), 28.1308), atol=1e-3, rtol=0)
    assert (ssim(picture, picture) > 0.999).all()
    assert (ssim(picture, picture.flip(0)) < 0.3).all()
    assert sharpness(torch.full_like(picture, 7), picture) == 0


def test_metrics_keep_frames_apart() -> None:
    pictures = torch.randint(0, 256, (2, 3, 32, 32, 3), dtype=torch.uint8)
    other = pictures.clone()
    other[1, 2] = 0
    for metric in (psnr, ssim):
        values = metric(other, pictures)
        assert values.shape == (2, 3)
        assert values[1, 2] < values.flatten()[:5].min()


def test_estimate_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        found = estimate(rng.normal(3.0, 2.0, 60), trial)
        covered += found.low <= 3.0 <= found.high
    assert 180 <= covered <= 198
    assert estimate(np.full(9, 4.0)).to_list() == [4.0, 4.0, 4.0]


def test_thumbnail_holds_no_more_values_than_asked() -> None:
    frames = torch.randint(0, 256, (1, 64, 64, 3), dtype=torch.uint8)
    assert thumbnail(frames, 48).shape == frames.shape
    flat = torch.full_like(frames, 90)
    assert torch.equal(thumbnail(flat, 48), flat)


def test_vae_report(dataset: Path) -> None:
    report, seen = evaluate_vae(tiny.vae_model().build().eval(), dataset, "test", 4)
    mean, low, high = report["thumbnail"]["psnr"]
    assert 5 < low <= mean <= high
    assert report["thumbnail"]["frechet"] < report["vae"]["frechet"], "random weights show nothing of the world"
    assert vae_sheet(seen).shape == (2 * 66, 4 * 66, 3)
