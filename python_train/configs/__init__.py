"""Runs by name: every config is a function that returns a dataclass."""

from types import ModuleType

from . import doom, paper, tiny

RUNS: dict[str, ModuleType] = {"doom": doom, "paper": paper, "tiny": tiny}
