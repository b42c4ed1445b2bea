"""PyTorch models -> packages that `yanrt` plays. `python -m exporters --help` lists the commands."""

from .build import export

__all__ = ["export"]
