"""Runs by name: every config is a function that returns a dataclass."""

from types import ModuleType

from . import doom, tiny

RUNS: dict[str, ModuleType] = {"doom": doom, "tiny": tiny}
