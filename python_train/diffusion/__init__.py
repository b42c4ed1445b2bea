"""Noise: how a latent is corrupted, what the network's output means, and how one grade becomes the next."""

from .ddpm import DDPM
from .rectified import RectifiedFlow

Diffusion = RectifiedFlow | DDPM

__all__ = ["DDPM", "Diffusion", "RectifiedFlow"]
