"""What every VAE of this project offers, whatever its network.

Legend: B batch, T = 2 frames a latent, H W pixels, h = H/32, w = W/32, C latent channels. Pictures are
channels-last, pixels in [-1, 1] inside and uint8 outside.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

FRAMES = 2
STRIDE = 32
# The posterior starts narrow: with exp(-5/2) noise the decoder sees usable latents from the first step.
LOGVAR_BIAS = -5.0


def to_pixels(frames_u8: Tensor) -> Tensor:
    """uint8 to float32 in [-1, 1]."""
    return frames_u8.to(torch.float32) * (1 / 127.5) - 1


def to_uint8(pixels: Tensor) -> Tensor:
    return ((pixels + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


class VAE(nn.Module, ABC):
    """Base class. A network defines `encode_moments` and `decode_pixels`; the API below is what others use.

    `latent_mean` and `latent_std` [C] are measured after training (`measure_latents`), so that the latents which the
    denoiser sees have zero mean and unit variance in each channel.
    """

    latent_mean: Tensor
    latent_std: Tensor

    def __init__(self, height: int, width: int, channels: int) -> None:
        super().__init__()
        if height % STRIDE or width % STRIDE:
            raise ValueError(f"frames of {height}x{width} are not a multiple of {STRIDE}; pad them first")
        self.height, self.width, self.channels = height, width, channels
        self.rows, self.columns = height // STRIDE, width // STRIDE
        self.register_buffer("latent_mean", torch.zeros(channels))
        self.register_buffer("latent_std", torch.ones(channels))

    @abstractmethod
    def encode_moments(self, x_BTHW3: Tensor) -> Tensor:
        """Pixels `[B,2,H,W,3]` -> posterior mean and raw log-variance `[B,h,w,2C]`."""

    @abstractmethod
    def decode_pixels(self, z_BhwC: Tensor) -> Tensor:
        """Latent (not normalised) `[B,h,w,C]` -> pixels `[B,2,H,W,3]`."""

    @abstractmethod
    def encoder_parameters(self) -> list[nn.Parameter]:
        """The weights that decide latents: fixed once a denoiser was trained on them."""

    def encode_frames(self, frames_u8: Tensor) -> Tensor:
        """uint8 `[B,2,H,W,3]` -> normalised latent float32 `[B,h,w,C]`, the mean of the posterior."""
        mean = self.encode_moments(to_pixels(frames_u8))[..., : self.channels]
        return (mean.to(torch.float32) - self.latent_mean) / self.latent_std

    def decode_latent(self, latent_BhwC: Tensor) -> Tensor:
        """Normalised latent float32 `[B,h,w,C]` -> uint8 `[B,2,H,W,3]`."""
        return to_uint8(self.decode_pixels(latent_BhwC * self.latent_std + self.latent_mean).to(torch.float32))

    def forward(self, x_BTHW3: Tensor, noise_BhwC: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One training pass: (reconstruction, posterior mean, log-variance); `noise` is standard normal."""
        mean, raw = self.encode_moments(x_BTHW3).to(torch.float32).chunk(2, dim=-1)
        logvar = (raw + LOGVAR_BIAS).clamp(-12, 4)
        return self.decode_pixels(mean + noise_BhwC * (0.5 * logvar).exp()).to(torch.float32), mean, logvar

    @torch.no_grad()
    def measure_latents(self, means_NhwC: Tensor) -> None:
        """Sets the normalisation from posterior means of many clips."""
        flat = means_NhwC.reshape(-1, self.channels)
        self.latent_mean.copy_(flat.mean(0))
        self.latent_std.copy_(flat.std(0).clamp(min=1e-3))
