"""A simulator with another decoder: one that was refined after the latents were encoded."""

from pathlib import Path

import torch

from ..common.checkpoint import load_model, model_file, save_model
from ..common.provenance import sha256
from ..vae import VAE
from .world import SimModel


def redraw(simulator: str | Path, vae: str | Path, out: Path) -> None:
    """Writes the simulator checkpoint `simulator` with the VAE checkpoint `vae` into the folder `out`.

    TypeError for other kinds of checkpoints. ValueError if the two VAEs make different latents: the denoiser knows
    those of its own.
    """
    model, config, metadata = load_model(simulator)
    refined, refined_config, _ = load_model(vae)
    if not isinstance(model, SimModel) or not isinstance(refined, VAE):
        raise TypeError(f"{simulator} holds a {type(model).__name__}, {vae} a {type(refined).__name__}")
    if refined_config != config.vae or not _same_latents(model.vae, refined):
        raise ValueError(f"the latents of {vae} are not those that {simulator} was trained on; refine its own decoder")
    model.vae.load_state_dict(refined.state_dict())
    metadata["vae_sha256"] = sha256(model_file(vae))
    save_model(out / "model.safetensors", model, config, metadata)


def _same_latents(a: VAE, b: VAE) -> bool:
    ours, theirs = ([*vae.encoder_parameters(), vae.latent_mean, vae.latent_std] for vae in (a, b))
    return all(torch.equal(x, y) for x, y in zip(ours, theirs, strict=True))
