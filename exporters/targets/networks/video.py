"""Networks of diffusers that make videos."""

from typing import Any

import torch
from torch import Tensor

from .network import Method, Network


def _wan() -> Any:
    from diffusers import WanTransformer3DModel

    return WanTransformer3DModel(
        num_attention_heads=4,
        attention_head_dim=24,
        in_channels=8,
        out_channels=8,
        text_dim=48,
        freq_dim=64,
        ffn_dim=192,
        num_layers=2,
        rope_max_seq_len=32,
    )


def _wan_vae() -> Any:
    from diffusers import AutoencoderKLWan

    return AutoencoderKLWan(
        base_dim=16,
        z_dim=4,
        dim_mult=[1, 2, 2],
        num_res_blocks=1,
        temperal_downsample=[False, True],
        latents_mean=[0.0] * 4,
        latents_std=[1.0] * 4,
    )


def _encode(module: Any, x: Tensor) -> Tensor:
    moments: Tensor = module.encode(x).latent_dist.parameters
    return moments


def _decode(module: Any, z: Tensor) -> Tensor:
    frames: Tensor = module.decode(z, return_dict=False)[0]
    return frames


VIDEO = (
    Network(
        "WanTransformer3DModel",
        _wan,
        lambda: {
            "hidden_states": torch.randn(1, 8, 3, 8, 12),
            "timestep": torch.tensor([421]),
            "encoder_hidden_states": torch.randn(1, 9, 48),
        },
        {"return_dict": False},
    ),
    Network(
        "AutoencoderKLWan.encode", lambda: Method(_wan_vae(), _encode), lambda: {"x": torch.randn(1, 3, 9, 16, 24)}
    ),
    Network("AutoencoderKLWan.decode", lambda: Method(_wan_vae(), _decode), lambda: {"z": torch.randn(1, 4, 3, 4, 6)}),
)
