"""Custom ops of the `yanrt` namespace: what aten cannot say, with an eager body each.

Importing this package registers `torch.ops.yanrt.ring_attention` and `torch.ops.yanrt.randn`. Training, tests and
export call the same functions; the runtime has a kernel for each under the same name.
"""

from .randn import randn
from .ring_attention import ring_attention

__all__ = ["randn", "ring_attention"]
