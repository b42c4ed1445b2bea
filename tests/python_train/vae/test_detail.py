"""Detail channels: principal components of what the rest of a VAE leaves out."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from python_train.common.checkpoint import load_model, save_model
from python_train.common.dist import World
from python_train.configs import tiny
from python_train.train import Changes, train_vae
from python_train.vae import VAE, HybridVAE, HybridVAEConfig
from python_train.vae.detail import fit_detail, grow
from python_train.vae.train import VAETask, VAETrainConfig

SMALL = tiny.vae_model().without_detail()
CONFIG = replace(SMALL, channels=22, detail=6)


def clips_of_few_shades(count: int, shades: int, seed: int = 0) -> Tensor:
    """Clips uint8 whose patches are mixtures of `shades` pictures of low contrast."""
    rng = torch.Generator().manual_seed(seed)
    pictures = torch.randn(shades, 2, 32, 32, 3, generator=torch.Generator().manual_seed(9))
    mixed = torch.einsum("nps,sthwc->npthwc", torch.randn(count, 4, shades, generator=rng), pictures) * 12
    whole = mixed.reshape(count, 2, 2, 2, 32, 32, 3).permute(0, 3, 1, 4, 2, 5, 6).reshape(count, 2, 64, 64, 3)
    return (whole + 128).round().clamp(0, 255).to(torch.uint8)


def error(vae: VAE, clips: Tensor) -> float:
    return (vae.decode_latent(vae.encode_frames(clips)).float() - clips).square().mean().item()


def test_patches_of_few_components_come_back_whole() -> None:
    torch.manual_seed(0)
    vae = CONFIG.build().eval()
    before = error(vae, clips_of_few_shades(8, 4, seed=1))
    fit_detail(vae, clips_of_few_shades(64, 4))
    assert error(vae, clips_of_few_shades(8, 4, seed=1)) < 1 < before, "clips that the fit has not seen"
    latent = vae.encode_frames(clips_of_few_shades(64, 4))[..., -4:]
    assert latent.std() <= 1.2 * CONFIG.detail_std


def test_a_grown_vae_draws_what_it_drew() -> None:
    torch.manual_seed(0)
    small, large = SMALL.build().eval(), CONFIG.build().eval()
    small.latent_mean.fill_(0.3)
    grow(large, small)
    assert large.detail_out is not None
    torch.nn.init.zeros_(large.detail_out.weight)
    torch.nn.init.zeros_(large.detail_out.bias)
    clips = torch.randint(0, 256, (2, 2, 64, 64, 3), dtype=torch.uint8)
    assert torch.equal(large.encode_frames(clips)[..., :16], small.encode_frames(clips))
    latent = torch.randn(2, 2, 2, 22)
    torch.testing.assert_close(large.decode_pixels(latent), small.decode_pixels(latent[..., :16]))


def test_a_run_from_a_vae_without_detail(vae_run: VAETrainConfig, tmp_path: Path) -> None:
    start = tmp_path / "start.safetensors"
    torch.manual_seed(0)
    save_model(start, SMALL.build(), SMALL, {"kind": "vae"})
    run = replace(Changes(steps=2, start=str(start)).of_vae(vae_run), model=CONFIG, detail_clips=32)
    changed = replace(run, decoder_only=True)
    before = load_model(start)[0]
    task = VAETask(changed, World())
    assert isinstance(before, HybridVAE)
    frames = task.batch(0)[0]
    assert error(task.vae, frames) < 0.5 * error(before, frames)
    train_vae(changed, tmp_path / "run", World())
    after = load_model(tmp_path / "run")[0]
    assert isinstance(after, HybridVAE)
    assert torch.equal(after.encode_frames(frames)[..., :16], before.encode_frames(frames))
    assert torch.equal(after.encode_frames(frames), task.vae.encode_frames(frames)), "the coefficients stay, too"


def test_bad_detail_is_refused() -> None:
    with pytest.raises(ValueError, match="detail 16"):
        HybridVAEConfig(channels=16, detail=16)
    with pytest.raises(ValueError, match="no detail channels"):
        fit_detail(SMALL.build(), clips_of_few_shades(8, 4))
    with pytest.raises(ValueError, match="give more clips"):
        fit_detail(CONFIG.build(), clips_of_few_shades(2, 4))
