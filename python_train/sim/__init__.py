"""Yan-Sim: the action-driven simulator."""

from .cache import RingCache
from .model import Denoiser, DenoiserConfig
from .world import SimConfig, SimModel


def build(config: SimConfig) -> SimModel:
    """A simulator with random weights, for tests and as the start of training."""
    return config.build()


__all__ = ["Denoiser", "DenoiserConfig", "RingCache", "SimConfig", "SimModel", "build"]
