"""The paper's VAE: a Stable-Diffusion-style pyramid taken from 8x to 32x, with a light decoder.

Encoder: three levels of two residual layers reach 1/8, two more down blocks of a single layer reach 1/32. Decoder: one
single-layer up block added, one layer pruned from each of the others, pixel shuffle last. Widths are not published:
they are configuration. Norms are layer norms over channels (Stable Diffusion has group norms), and a level is left by
pixel unshuffle, so that every convolution is 3x3 with stride 1.
"""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from ..config import register
from .base import FRAMES, VAE


@register
@dataclass(frozen=True)
class ConvVAEConfig:
    """`widths`: channels at 1/1, 1/2, 1/4, 1/8 and 1/16 of the size; the last also serves 1/32."""

    height: int = 160
    width: int = 256
    channels: int = 16
    widths: tuple[int, int, int, int, int] = (32, 64, 128, 256, 256)
    encoder_layers: int = 2
    decoder_layers: int = 1

    def build(self) -> "ConvVAE":
        return ConvVAE(self)


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of `[B,C,H,W]`."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Residual(nn.Module):
    """x + conv(silu(norm(conv(silu(norm(x))))))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = ChannelNorm(width), nn.Conv2d(width, width, 3, padding=1)
        self.norm2, self.conv2 = ChannelNorm(width), nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))
        return x + y


def down(width: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4 * width, out, 3, padding=1))


def up(width: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(width, 4 * out, 3, padding=1), nn.PixelShuffle(2))


class ConvVAE(VAE):
    def __init__(self, config: ConvVAEConfig) -> None:
        super().__init__(config.height, config.width, config.channels)
        self.config = config
        w0, w1, w2, w3, w4 = config.widths
        many, few = config.encoder_layers, config.decoder_layers
        layers: list[nn.Module] = [nn.Conv2d(FRAMES * 3, w0, 3, padding=1)]
        for width, out in ((w0, w1), (w1, w2), (w2, w3)):
            layers += [Residual(width) for _ in range(many)] + [down(width, out)]
        layers += [Residual(w3), down(w3, w4), Residual(w4), down(w4, w4)]
        layers += [ChannelNorm(w4), nn.SiLU(), nn.Conv2d(w4, 2 * self.channels, 3, padding=1)]
        self.encoder = nn.Sequential(*layers)
        layers = [nn.Conv2d(self.channels, w4, 3, padding=1), Residual(w4), up(w4, w4)]
        for width, out in ((w4, w3), (w3, w2), (w2, w1)):
            layers += [Residual(width) for _ in range(few)] + [up(width, out)]
        layers += [Residual(w1), ChannelNorm(w1), nn.SiLU(), nn.Conv2d(w1, FRAMES * 3 * 4, 3, padding=1)]
        self.decoder = nn.Sequential(*layers, nn.PixelShuffle(2))

    def encoder_parameters(self) -> list[nn.Parameter]:
        return list(self.encoder.parameters())

    def encode_moments(self, x_BTHW3: Tensor) -> Tensor:
        stacked = x_BTHW3.permute(0, 1, 4, 2, 3).reshape(-1, FRAMES * 3, self.height, self.width)
        moments: Tensor = self.encoder(stacked)
        return moments.permute(0, 2, 3, 1)

    def decode_pixels(self, z_BhwC: Tensor) -> Tensor:
        image: Tensor = self.decoder(z_BhwC.permute(0, 3, 1, 2))
        return image.reshape(-1, FRAMES, 3, self.height, self.width).permute(0, 1, 3, 4, 2)
