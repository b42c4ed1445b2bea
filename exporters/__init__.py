"""Turns PyTorch models into packages (docs/export.md): lower -> passes -> storage -> file."""

from .api import export

__all__ = ["export"]
