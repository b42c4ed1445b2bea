"""The default VAE: a transformer over 32-pixel patches with a small convolutional head.

Almost all work is in matrix products over h*w tokens, which suits processors; the head draws at 1/8 of the size, so
that patch borders do not show. Pixel shuffle comes last, as in the paper's light decoder.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import register
from ..layers.attention import SelfAttention
from ..layers.mlp import ResidualMlp
from .base import FRAMES, STRIDE, VAE

HEAD_STRIDE = 8
CELLS = STRIDE // HEAD_STRIDE


@register
@dataclass(frozen=True)
class HybridVAEConfig:
    """Sizes of a HybridVAE. `head_in` channels leave the transformer at 1/8 of the size, `head` is the head's width.
    `decoder_heads` and `decoder_hidden` (of the feed-forward) are 0 but where the decoder was pruned."""

    height: int = 160
    width: int = 256
    channels: int = 16
    dim: int = 384
    heads: int = 6
    encoder_blocks: int = 3
    decoder_blocks: int = 4
    head_in: int = 32
    head: int = 96
    decoder_heads: int = 0
    decoder_hidden: int = 0

    def __post_init__(self) -> None:
        if self.dim % self.heads:
            raise ValueError(f"dim {self.dim} is not a multiple of {self.heads} heads")

    def build(self) -> "HybridVAE":
        return HybridVAE(self)


class Block(nn.Module):
    """Pre-norm transformer block over the tokens of one latent, `[B,P,D] -> [B,P,D]`."""

    def __init__(self, dim: int, heads: int, head_width: int, hidden: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attention = SelfAttention(dim, heads, head_width)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = ResidualMlp(dim, hidden)

    def forward(self, x_BPD: Tensor) -> Tensor:
        x_BPD = x_BPD + self.attention(self.norm1(x_BPD))
        y: Tensor = x_BPD + self.mlp(self.norm2(x_BPD))
        return y


class HybridVAE(VAE):
    def __init__(self, config: HybridVAEConfig) -> None:
        super().__init__(config.height, config.width, config.channels)
        self.config = config
        dim, tokens, head_width = config.dim, self.rows * self.columns, config.dim // config.heads
        decoder = (config.decoder_heads or config.heads, head_width, config.decoder_hidden or 4 * dim)
        self.patch_in = nn.Linear(FRAMES * STRIDE * STRIDE * 3, dim)
        self.encoder_position = nn.Parameter(torch.randn(tokens, dim) * 0.02)
        self.encoder = nn.ModuleList(
            Block(dim, config.heads, head_width, 4 * dim) for _ in range(config.encoder_blocks)
        )
        self.to_moments = nn.Linear(dim, 2 * config.channels)
        self.from_latent = nn.Linear(config.channels, dim)
        self.decoder_position = nn.Parameter(torch.randn(tokens, dim) * 0.02)
        self.decoder = nn.ModuleList(Block(dim, *decoder) for _ in range(config.decoder_blocks))
        self.norm_out = nn.LayerNorm(dim)
        self.patch_out = nn.Linear(dim, CELLS * CELLS * config.head_in)
        self.conv1 = nn.Conv2d(config.head_in, config.head, 3, padding=1)
        self.conv2 = nn.Conv2d(config.head, config.head, 3, padding=1)
        self.conv3 = nn.Conv2d(config.head, FRAMES * 3 * HEAD_STRIDE * HEAD_STRIDE, 3, padding=1)

    def encoder_parameters(self) -> list[nn.Parameter]:
        parts = (self.patch_in, self.encoder, self.to_moments)
        return [self.encoder_position] + [p for part in parts for p in part.parameters()]

    def encode_moments(self, x_BTHW3: Tensor) -> Tensor:
        b, h, w = x_BTHW3.shape[0], self.rows, self.columns
        patches = x_BTHW3.reshape(b, FRAMES, h, STRIDE, w, STRIDE, 3).permute(0, 2, 4, 1, 3, 5, 6)
        x_BPD = self.patch_in(patches.reshape(b, h * w, -1)) + self.encoder_position
        for block in self.encoder:
            x_BPD = block(x_BPD)
        moments: Tensor = self.to_moments(x_BPD)
        return moments.reshape(b, h, w, 2 * self.channels)

    def decode_pixels(self, z_BhwC: Tensor) -> Tensor:
        b, h, w = z_BhwC.shape[0], self.rows, self.columns
        x_BPD = self.from_latent(z_BhwC.reshape(b, h * w, self.channels)) + self.decoder_position
        for block in self.decoder:
            x_BPD = block(x_BPD)
        cells = self.patch_out(self.norm_out(x_BPD)).reshape(b, h, w, CELLS, CELLS, self.config.head_in)
        image = cells.permute(0, 5, 1, 3, 2, 4).reshape(b, self.config.head_in, h * CELLS, w * CELLS)
        image = F.silu(self.conv1(image))
        image = image + F.silu(self.conv2(image))
        image = F.pixel_shuffle(self.conv3(image), HEAD_STRIDE)
        return image.reshape(b, FRAMES, 3, self.height, self.width).permute(0, 1, 3, 4, 2)
