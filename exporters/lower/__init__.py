"""torch.export programs -> IR. One file a family of ops; each function there lowers one aten or custom op."""

from .lower import ProgramSpec, lower
from .registry import UnsupportedOpsError

__all__ = ["ProgramSpec", "UnsupportedOpsError", "lower"]
