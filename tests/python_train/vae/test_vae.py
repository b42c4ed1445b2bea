"""VAEs: shapes and ranges of the API, what is trained and what exports."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from python_train.common.checkpoint import load_model
from python_train.common.dist import World
from python_train.configs import doom, tiny
from python_train.train import Changes, train_vae
from python_train.vae import VAE, ConvVAEConfig, HybridVAEConfig
from python_train.vae.sharpen import SharpenConfig
from python_train.vae.train import VAETrainConfig

CONFIGS = [
    tiny.vae_model().without_detail(),
    tiny.vae_model(),
    ConvVAEConfig(height=64, width=64, widths=(4, 8, 8, 16, 16)),
]
BUDGET = 17_000_000


@pytest.fixture(params=CONFIGS, ids=["hybrid", "detail", "conv"])
def config(request: pytest.FixtureRequest) -> HybridVAEConfig | ConvVAEConfig:
    chosen: HybridVAEConfig | ConvVAEConfig = request.param
    return chosen


def test_api_shapes_and_types(config: HybridVAEConfig | ConvVAEConfig) -> None:
    vae = config.build().eval()
    frames = torch.randint(0, 256, (3, 2, 64, 64, 3), dtype=torch.uint8)
    latent = vae.encode_frames(frames)
    assert latent.shape == (3, 2, 2, config.channels)
    assert latent.dtype == torch.float32
    decoded = vae.decode_latent(latent)
    assert decoded.shape == frames.shape
    assert decoded.dtype == torch.uint8


def test_latents_are_normalised(config: HybridVAEConfig | ConvVAEConfig) -> None:
    vae = config.build().eval()
    frames = torch.randint(0, 256, (16, 2, 64, 64, 3), dtype=torch.uint8)
    before = vae.decode_latent(vae.encode_frames(frames))
    vae.measure_latents(vae.encode_frames(frames) * vae.latent_std + vae.latent_mean)
    latent = vae.encode_frames(frames)
    expected = torch.ones(config.channels)
    if isinstance(config, HybridVAEConfig):
        expected[config.channels - config.detail :] = config.detail_std
    torch.testing.assert_close(latent.mean((0, 1, 2)), torch.zeros(config.channels), atol=1e-3, rtol=0)
    torch.testing.assert_close(latent.std((0, 1, 2)), expected, atol=1e-2, rtol=0)
    after = vae.decode_latent(latent)
    assert (before.int() - after.int()).abs().max() <= 1, "normalisation changes the latents, not the picture"


def test_both_halves_export(config: HybridVAEConfig | ConvVAEConfig) -> None:
    vae = config.build().eval()

    class Encode(torch.nn.Module):
        vae: VAE

        def __init__(self) -> None:
            super().__init__()
            self.vae = vae

        def forward(self, frames: torch.Tensor) -> torch.Tensor:
            return self.vae.encode_frames(frames)

    class Decode(Encode):
        def forward(self, latent: torch.Tensor) -> torch.Tensor:
            return self.vae.decode_latent(latent)

    frames = torch.randint(0, 256, (1, 2, 64, 64, 3), dtype=torch.uint8)
    latent = vae.encode_frames(frames)
    for module, example in ((Encode(), frames), (Decode(), latent)):
        program = torch.export.export(module, (example,))
        torch.testing.assert_close(program.module()(example), module(example))


def test_encoder_parameters_decide_latents_and_nothing_else(config: HybridVAEConfig | ConvVAEConfig) -> None:
    vae = config.build()
    frames = torch.rand(1, 2, 64, 64, 3)
    vae.encode_moments(frames).square().sum().backward()
    used = {name for name, p in vae.named_parameters() if p.grad is not None}
    encoder = {id(p) for p in vae.encoder_parameters()}
    assert used == {name for name, p in vae.named_parameters() if id(p) in encoder}


def test_doom_fits_its_budget() -> None:
    with torch.device("meta"):
        vae = doom.vae().model.build()
    assert sum(p.numel() for p in vae.parameters()) <= BUDGET


def test_sizes_that_do_not_divide_are_refused() -> None:
    with pytest.raises(ValueError, match="100x64"):
        HybridVAEConfig(height=100, width=64).build()


@pytest.mark.parametrize("sharpen", [None, SharpenConfig(crop=32, width=4)], ids=["pixels", "sharpened"])
def test_decoder_run_keeps_the_latents(
    sharpen: SharpenConfig | None, vae_run: VAETrainConfig, vae_checkpoint: Path, tmp_path: Path
) -> None:
    changes = Changes(steps=4, start=str(vae_checkpoint))
    train_vae(replace(changes.of_vae(vae_run), decoder_only=True, sharpen=sharpen), tmp_path, World())
    before, after = load_model(vae_checkpoint)[0], load_model(tmp_path)[0]
    assert isinstance(before, VAE)
    assert isinstance(after, VAE)
    frames = torch.randint(0, 256, (1, 2, 64, 64, 3), dtype=torch.uint8)
    assert torch.equal(before.encode_frames(frames), after.encode_frames(frames))
    latent = torch.randn(1, 2, 2, before.channels)
    assert not torch.equal(before.decode_latent(latent), after.decode_latent(latent))
