"""The linear coefficients of a HybridVAE: principal components of what it leaves out.

A network of this size is far from a linear code of as many values, where it was trained for minutes alone: 64 principal
components of the game's patches keep 28 dB (docs/training.md). So the last channels of a latent are such components,
the decoder starts from their best linear reading and learns the rest.

Legend: N patches, E = 2*32*32*3 values of a patch, C channels, D of them detail.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from .base import FRAMES, STRIDE, to_pixels
from .hybrid import HEAD_STRIDE, HybridVAE

EXTRA, POWERS = 16, 4  # of the randomised decomposition (Halko et al. 2011)
RIDGE = 1e-6  # of the mean of the diagonal: a channel that says next to nothing is read as nothing


@torch.no_grad()
def fit_detail(vae: HybridVAE, clips_u8: Tensor) -> None:
    """Sets `detail_in` to the principal components of the error that `vae` makes without detail, over clips uint8
    `[B,2,H,W,3]`, in units of their deviation, and `detail_out` to the least-squares reading of that error from the
    whole latent. ValueError if the VAE has no detail or the clips hold fewer patches than it has channels."""
    into, out, detail = vae.detail_in, vae.detail_out, vae.config.detail
    if into is None or out is None:
        raise ValueError("this VAE has no detail channels; set HybridVAEConfig.detail")
    for weights in (into, out):
        weights.weight.zero_()
        weights.bias.zero_()
    patches_NE, rest_NC, missing_NE = _patches(vae, clips_u8)
    if len(patches_NE) <= vae.channels:
        raise ValueError(f"{len(patches_NE)} patches cannot decide {vae.channels} channels; give more clips")
    components_ED = torch.svd_lowrank(missing_NE, q=detail + EXTRA, niter=POWERS)[2][:, :detail]
    detail_ND = patches_NE @ components_ED
    mean, std = detail_ND.mean(0), detail_ND.std(0).clamp(min=1e-6)
    into.weight.copy_((components_ED / std).T)
    into.bias.copy_(-mean / std)
    vae.latent_mean[-detail:] = 0
    vae.latent_std[-detail:] = 1 / vae.config.detail_std
    latent_NC = torch.cat([rest_NC, (detail_ND - mean) / std, torch.ones_like(mean[:1]).expand(len(rest_NC), 1)], 1)
    reading_CE = _least_squares(latent_NC, missing_NE)[:, _cell_order()]
    out.weight.copy_(reading_CE[:-1].T)
    out.bias.copy_(reading_CE[-1])


def _least_squares(x_NC: Tensor, y_NE: Tensor) -> Tensor:
    """`[C,E]`, by the normal equations in float64: unlike LAPACK's lstsq in float32 the same bits in every run."""
    x_NC = x_NC.double()
    gram_CC = x_NC.T @ x_NC
    ridge = RIDGE * gram_CC.diagonal().mean() * torch.eye(len(gram_CC), dtype=x_NC.dtype, device=x_NC.device)
    solution: Tensor = torch.linalg.solve(gram_CC + ridge, x_NC.T @ y_NE.double())
    return solution.to(y_NE.dtype)


def grow(vae: HybridVAE, smaller: HybridVAE) -> None:
    """Gives `vae` the weights of a VAE without detail; its decoder does not read the new channels yet."""
    weights = smaller.state_dict()
    mine = vae.state_dict()
    for name, value in weights.items():
        if name == "from_latent.weight":
            mine[name].zero_()
        if name in ("from_latent.weight", "latent_mean", "latent_std"):
            mine[name][..., : smaller.channels] = value
        else:
            mine[name].copy_(value)


def _patches(vae: HybridVAE, clips_u8: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Patches, the other channels of their latents, and what is missing of the patches without detail."""
    rest = vae.channels - vae.config.detail
    parts = []
    for clips in clips_u8.split(32):
        x = to_pixels(clips)
        mean = vae.encode_moments(x)[..., : vae.channels]
        missing = vae.patches(x - vae.decode_pixels(mean))
        parts.append((vae.patches(x).flatten(0, 1), mean[..., :rest].flatten(0, 2), missing.flatten(0, 1)))
    patches, others, missing = (torch.cat(part) for part in zip(*parts, strict=True))
    return patches, others, missing


def _cell_order() -> Tensor:
    """Where the values of a patch lie, in the order in which the decoder draws them: cell, frame, colour, pixel."""
    index = torch.arange(FRAMES * STRIDE * STRIDE * 3).reshape(FRAMES, STRIDE, STRIDE, 3)
    cells = F.pixel_unshuffle(index.permute(0, 3, 1, 2).flatten(0, 1), HEAD_STRIDE)
    return cells.flatten(1).T.flatten()
