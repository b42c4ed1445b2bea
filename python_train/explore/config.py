"""A run of the explorer; apart from its training, so that configs need no stable-baselines3."""

from dataclasses import dataclass, field

from ..config import register
from ..data.doom import DoomConfig


@register
@dataclass(frozen=True)
class ExplorerTrainConfig:
    """A PPO run of `decisions` in all, in episodes of `episode_decisions`."""

    decisions: int = 200_000
    episode_decisions: int = 300
    hidden: tuple[int, ...] = (128, 64)
    lr: float = 5e-4
    horizon: int = 1024
    batch: int = 256
    epochs: int = 6
    gamma: float = 0.97
    entropy: float = 0.01
    save_every: int = 10_240
    seed: int = 0
    # Only the depth is looked at: small frames are faster.
    game: DoomConfig = field(
        default_factory=lambda: DoomConfig(height=80, width=128, render_height=120, render_width=160)
    )
