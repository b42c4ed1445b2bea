"""The default VAE: a transformer over 32-pixel patches with a small convolutional head.

Almost all work is in matrix products over h*w tokens, which suits processors; the head draws at 1/8 of the size, so
that patch borders do not show. Pixel shuffle comes last, as in the paper's light decoder.

The last `detail` channels of a latent know the picture by a shorter way: linear coefficients of the patch, which the
decoder adds to what it draws (vae/detail.py).
"""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import register
from ..layers.attention import SelfAttention
from ..layers.mlp import ResidualMlp
from ..layers.zeroed import zeroed
from .base import FRAMES, LOGVAR_BIAS, STRIDE, VAE

HEAD_STRIDE = 8
CELLS = STRIDE // HEAD_STRIDE
DRAWN = FRAMES * 3 * HEAD_STRIDE * HEAD_STRIDE  # values of a cell
DETAIL_LOGVAR = -4.6  # the decoder is trained on coefficients with so much noise, .1 of their deviation


@register
@dataclass(frozen=True)
class HybridVAEConfig:
    """Sizes of a HybridVAE. `head_in` channels leave the transformer at 1/8 of the size, `head` is the head's width.
    `decoder_heads` and `decoder_hidden` (of the feed-forward) are 0 but where the decoder was pruned.

    `detail` of the `channels` are linear coefficients of the patch. The denoiser sees them with the deviation
    `detail_std`, not 1 as the others: they weigh less in its loss, and are drawn after the others.
    """

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
    detail: int = 0
    detail_std: float = 0.4

    def __post_init__(self) -> None:
        if not 0 <= self.detail < self.channels:
            raise ValueError(f"detail {self.detail} is not within 0 and {self.channels} channels")
        if self.dim % self.heads:
            raise ValueError(f"dim {self.dim} is not a multiple of {self.heads} heads")

    def without_detail(self) -> "HybridVAEConfig":
        rest = self.channels - self.detail
        return replace(self, channels=rest, detail=0, detail_std=HybridVAEConfig.detail_std)

    def adds_detail_to(self, smaller: "HybridVAEConfig") -> bool:
        """Whether the detail channels alone are new."""
        return self.detail > 0 and smaller == self.without_detail()

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
        self.to_moments = nn.Linear(dim, 2 * (config.channels - config.detail))
        self.from_latent = nn.Linear(config.channels, dim)
        self.decoder_position = nn.Parameter(torch.randn(tokens, dim) * 0.02)
        self.decoder = nn.ModuleList(Block(dim, *decoder) for _ in range(config.decoder_blocks))
        self.norm_out = nn.LayerNorm(dim)
        self.patch_out = nn.Linear(dim, CELLS * CELLS * config.head_in)
        self.conv1 = nn.Conv2d(config.head_in, config.head, 3, padding=1)
        self.conv2 = nn.Conv2d(config.head, config.head, 3, padding=1)
        drawn = nn.Conv2d(config.head, DRAWN, 3, padding=1)
        self.conv3 = zeroed(drawn) if config.detail else drawn  # at first, detail alone draws
        self.detail_in = nn.Linear(FRAMES * STRIDE * STRIDE * 3, config.detail) if config.detail else None
        self.detail_out = nn.Linear(config.channels, CELLS * CELLS * DRAWN) if config.detail else None

    def encoder_parameters(self) -> list[nn.Parameter]:
        parts = [self.patch_in, self.encoder, self.to_moments] + ([self.detail_in] if self.detail_in else [])
        return [self.encoder_position] + [p for part in parts for p in part.parameters()]

    def measure_latents(self, means_NhwC: Tensor) -> None:
        super().measure_latents(means_NhwC)
        self.latent_std[self.channels - self.config.detail :] /= self.config.detail_std

    def patches(self, x_BTHW3: Tensor) -> Tensor:
        """Pixels `[B,2,H,W,3]` -> patches `[B,P,2*32*32*3]`, P = h*w."""
        b, h, w = x_BTHW3.shape[0], self.rows, self.columns
        split = x_BTHW3.reshape(b, FRAMES, h, STRIDE, w, STRIDE, 3).permute(0, 2, 4, 1, 3, 5, 6)
        return split.reshape(b, h * w, -1)

    def encode_moments(self, x_BTHW3: Tensor) -> Tensor:
        patches_BPE = self.patches(x_BTHW3)
        x_BPD = self.patch_in(patches_BPE) + self.encoder_position
        for block in self.encoder:
            x_BPD = block(x_BPD)
        moments: Tensor = self.to_moments(x_BPD)
        if self.detail_in is not None:
            mean, logvar = moments.chunk(2, -1)
            detail = self.detail_in(patches_BPE)
            moments = torch.cat([mean, detail, logvar, torch.full_like(detail, DETAIL_LOGVAR - LOGVAR_BIAS)], -1)
        return moments.reshape(-1, self.rows, self.columns, 2 * self.channels)

    def decode_pixels(self, z_BhwC: Tensor) -> Tensor:
        z_BPC = z_BhwC.flatten(1, 2)
        x_BPD = self.from_latent(z_BPC) + self.decoder_position
        for block in self.decoder:
            x_BPD = block(x_BPD)
        image = self._as_cells(self.patch_out(self.norm_out(x_BPD)))
        image = F.silu(self.conv1(image))
        image = image + F.silu(self.conv2(image))
        image = self.conv3(image)
        if self.detail_out is not None:
            image = image + self._as_cells(self.detail_out(z_BPC))
        image = F.pixel_shuffle(image, HEAD_STRIDE)
        return image.reshape(-1, FRAMES, 3, self.height, self.width).permute(0, 1, 3, 4, 2)

    def _as_cells(self, x_BPE: Tensor) -> Tensor:
        """Each token's values as CELLS x CELLS cells of an image `[B,E/CELLS^2,h*CELLS,w*CELLS]`."""
        cells = x_BPE.reshape(-1, self.rows, self.columns, CELLS, CELLS, x_BPE.shape[-1] // CELLS**2)
        return cells.permute(0, 5, 1, 3, 2, 4).reshape(-1, cells.shape[-1], self.rows * CELLS, self.columns * CELLS)
