"""torch.export programs -> IR. One file a family of ops; each function there lowers one aten or custom op."""

from .lower import ProgramSpec, lower
from .registry import UnsupportedOpsError
from .trace import DynamicModelError

__all__ = ["DynamicModelError", "ProgramSpec", "UnsupportedOpsError", "lower"]
