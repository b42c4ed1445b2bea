"""Structural pruning (paper, "Speed-ups"): heads and feed-forward channels that matter least are left out."""

from .cut import cut, smaller
from .groups import Group, find_groups
from .importance import importance

__all__ = ["Group", "cut", "find_groups", "importance", "smaller"]
