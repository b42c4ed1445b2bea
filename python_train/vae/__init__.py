"""The 3D-VAE of Yan-Sim: two frames become one latent at 1/32 of the size, of 16 channels in the paper (paper, "Yan-Sim: 3D-VAE")."""

from .base import VAE
from .conv import ConvVAE, ConvVAEConfig
from .hybrid import HybridVAE, HybridVAEConfig

__all__ = ["VAE", "ConvVAE", "ConvVAEConfig", "HybridVAE", "HybridVAEConfig"]
