"""The exporter's intermediate representation: programs over named tensors and state. Imports no torch."""

from .printer import dump
from .program import Module, Op, Program, State, Tensor, Value
from .verify import IRError, verify

__all__ = ["IRError", "Module", "Op", "Program", "State", "Tensor", "Value", "dump", "verify"]
