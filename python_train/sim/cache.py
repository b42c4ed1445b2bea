"""The temporal K/V cache of the frame loop: rings that `yanrt::ring_attention` reads and writes."""

from dataclasses import dataclass

from torch import Tensor


@dataclass
class RingCache:
    """One call's view of the cache. Legend: B batch, S = history + 1 slots, P positions, H heads, K head width.

    `frame` and `first_valid` are int64 `[B]`: the global index of the window's first frame, and of the first frame that
    exists. The first `commit` frames of the window are written to the rings, one `[B,S,P,H,K]` a layer.
    """

    frame: Tensor
    first_valid: Tensor
    commit: int
    history: int
    k_rings: list[Tensor]
    v_rings: list[Tensor]
