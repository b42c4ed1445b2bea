"""The losses of a sharpened decoder: what each of them reaches, and how they are weighed."""

from dataclasses import replace

import pytest
import torch

from python_train.configs import tiny
from python_train.vae.sharpen import FeatureDistance, SharpenConfig, Sharpener

CHANNELS = tiny.vae_model().channels
CORNER = torch.tensor([8, 16])


@pytest.fixture
def sharpener() -> Sharpener:
    torch.manual_seed(0)
    return Sharpener(tiny.vae_model().build(), SharpenConfig(shares=(0.5, 0.25), crop=32, width=4))


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(1)
    return torch.rand(2, 2, 64, 64, 3, generator=rng) * 2 - 1, torch.randn(2, 2, 2, CHANNELS, generator=rng)


def reached(loss: torch.Tensor, sharpener: Sharpener) -> set[str]:
    names, weights = zip(*sharpener.named_parameters(), strict=True)
    slopes = torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True)
    return {name.split(".")[0] for name, slope in zip(names, slopes, strict=True) if slope is not None and slope.any()}


def test_each_loss_reaches_its_own_network(sharpener: Sharpener, batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    _, _, _, features, caught, wrong = sharpener(*batch, CORNER)
    assert reached(features, sharpener) == {"vae"}
    assert reached(caught, sharpener) == {"vae"}
    assert reached(wrong, sharpener) == {"critic"}


def test_each_loss_pulls_with_its_share(sharpener: Sharpener, batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    """Of the gradient in the picture, whatever the scale of the critic."""
    x, noise = batch
    for scale in (1.0, 100.0):
        with torch.no_grad():
            sharpener.critic.score.weight.mul_(scale)
        y, _, _, features, caught, wrong = sharpener(x, noise, CORNER)
        pixels = (y - x).square().mean()
        parts = [torch.autograd.grad(loss, y, retain_graph=True)[0] for loss in (pixels, features, caught)]
        size = parts[0].norm()
        expected = parts[0] + 0.5 * size * parts[1] / parts[1].norm() + 0.25 * size * parts[2] / parts[2].norm()
        whole = torch.autograd.grad(sharpener.total(y, pixels, features, caught, wrong), y)[0]
        torch.testing.assert_close(whole, expected, rtol=1e-3, atol=1e-8)


def test_only_the_crop_is_looked_at(sharpener: Sharpener, batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    y, _, _, _, caught, _ = sharpener(*batch, CORNER)
    slope = torch.autograd.grad(caught, y)[0].abs().sum((0, 1, 4))
    assert slope[8:40, 16:48].any()
    slope[8:40, 16:48] = 0
    assert not slope.any()


def test_distance_of_features_grows_with_blur() -> None:
    distance = FeatureDistance()
    picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    blurred = [torch.nn.functional.avg_pool2d(picture, k, 1, k // 2) for k in (1, 3, 7)]
    none, some, much = (float(distance(b, picture)) for b in blurred)
    assert none == pytest.approx(0, abs=1e-6)
    assert 0 < some < much


def test_sharpening_needs_fixed_latents() -> None:
    with pytest.raises(ValueError, match="sharpen needs decoder_only"):
        replace(tiny.vae(), sharpen=SharpenConfig())


def test_a_crop_lies_in_the_picture() -> None:
    with pytest.raises(ValueError, match="a crop of 128 is larger than 64x64"):
        replace(tiny.decoder(), sharpen=SharpenConfig(crop=128))
