"""Resume points: what they hold, and that training goes on from them."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from python_train.common.checkpoint import load_model
from python_train.common.dist import World
from python_train.common.loop import Loop
from python_train.resume_point import write_resume_point
from python_train.sim import Denoiser, SimModel
from python_train.sim.grow import grown
from python_train.sim.redraw import redraw
from python_train.sim.train import SimTask, SimTrainConfig
from python_train.train import Changes, train_sim, train_vae
from python_train.vae import VAE
from python_train.vae.train import VAETrainConfig


def test_training_starts_from_a_resume_point(sim_run: SimTrainConfig, tmp_path: Path) -> None:
    train_sim(Changes(steps=3).of_sim(sim_run), tmp_path / "run", World())
    files = write_resume_point(tmp_path / "run", tmp_path / "resume")
    trained, vae, denoiser = (load_model(path)[0] for path in (tmp_path / "run", *files))
    assert isinstance(trained, SimModel)
    assert isinstance(vae, VAE)
    assert isinstance(denoiser, Denoiser)
    for kept, original in ((vae, trained.vae), (denoiser, trained.denoiser)):
        for name, value in original.state_dict().items():
            assert torch.equal(kept.state_dict()[name], value.to(torch.bfloat16).float()), name

    begun = SimTask(replace(sim_run, start_from=str(files[1])), World()).model
    assert all(torch.equal(value, denoiser.state_dict()[name]) for name, value in begun.state_dict().items())


def test_only_a_simulator_makes_a_resume_point(vae_checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="HybridVAE"):
        write_resume_point(vae_checkpoint, tmp_path)


def test_another_network_is_no_start(sim_run: SimTrainConfig, vae_checkpoint: Path) -> None:
    with pytest.raises(ValueError, match="the run expects DenoiserConfig"):
        SimTask(replace(sim_run, start_from=str(vae_checkpoint)), World())


def test_a_simulator_takes_a_refined_decoder_of_its_own_latents(
    sim_run: SimTrainConfig, vae_run: VAETrainConfig, vae_checkpoint: Path, tmp_path: Path
) -> None:
    train_sim(Changes(steps=1).of_sim(sim_run), tmp_path / "sim", World())
    run = Changes(steps=2, start=str(vae_checkpoint)).of_vae(vae_run)
    train_vae(replace(run, decoder_only=True), tmp_path / "decoder", World())
    redraw(tmp_path / "sim", tmp_path / "decoder", tmp_path / "redrawn")
    redrawn, refined, before = (load_model(tmp_path / name)[0] for name in ("redrawn", "decoder", "sim"))
    latent = torch.randn(1, 2, 2, refined.channels)
    assert torch.equal(redrawn.vae.decode_pixels(latent), refined.decode_pixels(latent))
    assert torch.equal(redrawn.denoiser.latent_in.weight, before.denoiser.latent_in.weight)

    train_vae(run, tmp_path / "vae", World())
    with pytest.raises(ValueError, match="are not those"):
        redraw(tmp_path / "sim", tmp_path / "vae", tmp_path / "redrawn")
    with pytest.raises(TypeError, match="HybridVAE"):
        redraw(tmp_path / "vae", tmp_path / "decoder", tmp_path / "redrawn")


def test_a_start_may_know_fewer_distances(sim_run: SimTrainConfig, tmp_path: Path) -> None:
    train_sim(Changes(steps=2).of_sim(sim_run), tmp_path / "run", World())
    known = load_model(tmp_path / "run")[0].denoiser.blocks[0].temporal.bias
    model = replace(sim_run.model, denoiser=replace(sim_run.model.denoiser, max_distance=known.shape[1] + 5))
    begun = SimTask(replace(sim_run, model=model, start_from=str(tmp_path / "run"), learn_bias=False), World())
    bias = begun.model.blocks[0].temporal.bias
    assert torch.equal(bias, torch.cat([known, known[:, -1:].expand(-1, 5)], 1))
    assert not bias.requires_grad


def test_a_start_may_know_fewer_channels(sim_run: SimTrainConfig) -> None:
    torch.manual_seed(0)
    known = sim_run.model.denoiser.build()
    torch.nn.init.normal_(known.latent_out.weight)
    larger = replace(known.config, channels=known.config.channels + 6)
    begun = larger.build()
    begun.load_state_dict(grown(known, larger))
    noisy, sigma, actions = (
        torch.randn(1, 3, 2, 2, larger.channels),
        torch.tensor([0.0, 0.4, 1.0]),
        torch.zeros(1, 3, 2, 6),
    )
    x0 = begun(noisy, sigma, actions)
    torch.testing.assert_close(x0[..., :-6], known(noisy[..., :-6], sigma, actions))
    assert not x0[..., -6:].any()
    with pytest.raises(ValueError, match="the run expects"):
        grown(begun, known.config)


@pytest.mark.slow
def test_a_compiled_model_trains_alike(sim_run: SimTrainConfig, tmp_path: Path) -> None:
    plain, compiled = (
        Loop(SimTask(sim_run, World()), replace(sim_run.loop, compile=choice), tmp_path / str(choice), World()).run(2)
        for choice in (False, True)
    )
    assert compiled == pytest.approx(plain, rel=1e-2)
