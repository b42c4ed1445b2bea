"""The 3D-VAE of Yan-Sim: two frames become one latent at 1/32 of the size, in the paper of 16 channels ("3D-VAE")."""

from .base import VAE
from .conv import ConvVAE, ConvVAEConfig
from .hybrid import HybridVAE, HybridVAEConfig

__all__ = ["VAE", "ConvVAE", "ConvVAEConfig", "HybridVAE", "HybridVAEConfig"]
