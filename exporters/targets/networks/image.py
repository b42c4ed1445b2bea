"""Networks of diffusers that make images: U-Nets, their autoencoders, and diffusion transformers."""

from typing import Any

import torch
from torch import Tensor

from .network import Method, Network

_NO_DICT = {"return_dict": False}


def _unet() -> Any:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=48,
        attention_head_dim=8,
        norm_num_groups=16,
    )


def _controlnet() -> Any:
    from diffusers import ControlNetModel

    return ControlNetModel(
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        cross_attention_dim=48,
        attention_head_dim=8,
        norm_num_groups=16,
        conditioning_embedding_out_channels=(16, 32),
    )


def _denoised() -> dict[str, Tensor]:
    return {
        "sample": torch.randn(1, 4, 16, 16),
        "timestep": torch.tensor([421]),
        "encoder_hidden_states": torch.randn(1, 7, 48),
    }


def _autoencoder() -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=(32, 64),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4,
        norm_num_groups=16,
    )


def _encode(module: Any, x: Tensor) -> Tensor:
    """Mean and log variance, before anything is drawn."""
    moments: Tensor = module.encode(x).latent_dist.parameters
    return moments


def _decode(module: Any, z: Tensor) -> Tensor:
    frames: Tensor = module.decode(z, return_dict=False)[0]
    return frames


def _tiny() -> Any:
    from diffusers import AutoencoderTiny

    return AutoencoderTiny(
        encoder_block_out_channels=(16, 16, 16),
        decoder_block_out_channels=(16, 16, 16),
        num_encoder_blocks=(1, 1, 1),
        num_decoder_blocks=(1, 1, 1),
    )


def _dit() -> Any:
    from diffusers import DiTTransformer2DModel

    return DiTTransformer2DModel(
        num_attention_heads=4, attention_head_dim=16, num_layers=2, sample_size=8, num_embeds_ada_norm=1000
    )


def _pixart() -> Any:
    from diffusers import PixArtTransformer2DModel

    return PixArtTransformer2DModel(
        num_attention_heads=4,
        attention_head_dim=16,
        num_layers=2,
        cross_attention_dim=64,
        sample_size=8,
        caption_channels=48,
    )


def _pixart_inputs() -> dict[str, Any]:
    return {
        "hidden_states": torch.randn(1, 4, 8, 8),
        "encoder_hidden_states": torch.randn(1, 9, 48),
        "encoder_attention_mask": (torch.arange(9) < 6)[None].float(),
        "timestep": torch.tensor([421]),
        "added_cond_kwargs": {"resolution": None, "aspect_ratio": None},
    }


def _sd3() -> Any:
    from diffusers import SD3Transformer2DModel

    return SD3Transformer2DModel(
        sample_size=16,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=4,
        joint_attention_dim=48,
        caption_projection_dim=64,
        pooled_projection_dim=40,
        pos_embed_max_size=16,
        dual_attention_layers=(0,),
        qk_norm="rms_norm",
    )


def _sd3_inputs() -> dict[str, Tensor]:
    return {
        "hidden_states": torch.randn(1, 16, 16, 16),
        "encoder_hidden_states": torch.randn(1, 9, 48),
        "pooled_projections": torch.randn(1, 40),
        "timestep": torch.tensor([421.0]),
    }


IMAGE = (
    Network("UNet2DConditionModel", _unet, _denoised, _NO_DICT),
    Network(
        "ControlNetModel",
        _controlnet,
        lambda: {**_denoised(), "controlnet_cond": torch.rand(1, 3, 32, 32)},
        _NO_DICT,
    ),
    Network("AutoencoderKL.encode", lambda: Method(_autoencoder(), _encode), lambda: {"x": torch.randn(1, 3, 32, 32)}),
    Network("AutoencoderKL.decode", lambda: Method(_autoencoder(), _decode), lambda: {"z": torch.randn(1, 4, 16, 16)}),
    Network("AutoencoderTiny", _tiny, lambda: {"sample": torch.rand(1, 3, 32, 32)}, _NO_DICT),
    Network(
        "DiTTransformer2DModel",
        _dit,
        lambda: {
            "hidden_states": torch.randn(1, 4, 8, 8),
            "timestep": torch.tensor([421]),
            "class_labels": torch.tensor([17]),
        },
        _NO_DICT,
    ),
    Network("PixArtTransformer2DModel", _pixart, _pixart_inputs, _NO_DICT),
    Network("SD3Transformer2DModel", _sd3, _sd3_inputs, _NO_DICT),
)
