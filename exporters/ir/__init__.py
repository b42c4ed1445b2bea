"""The exporter's intermediate representation: programs over named tensors and state. Imports no torch."""

from .package import PackageInfo, Phase, Schedule
from .printer import dump
from .program import Module, Op, Program, State, Tensor, Value
from .serialize import write_package
from .verify import IRError, verify

__all__ = [
    "IRError",
    "Module",
    "Op",
    "PackageInfo",
    "Phase",
    "Program",
    "Schedule",
    "State",
    "Tensor",
    "Value",
    "dump",
    "verify",
    "write_package",
]
