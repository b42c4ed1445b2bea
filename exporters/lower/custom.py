"""The ops of the `yanrt` namespace (python_train/ops)."""

from typing import Any

import torch
from torch import Tensor
from torch._higher_order_ops.auto_functionalize import auto_functionalized_v2

import python_train.ops  # noqa: F401  registers them

from ..ir import Value
from .context import Context
from .registry import UnsupportedError, lowers


@lowers(torch.ops.yanrt.randn.default)
def _randn(ctx: Context, seed: Value | Tensor, counter: Value | Tensor, shape: list[int]) -> Value:
    return ctx.op("randn", [seed, counter], shape=tuple(shape))


@lowers(auto_functionalized_v2)
def _functionalized(ctx: Context, op: object, *, _all_bases: list[Value], **kwargs: Any) -> tuple[Value, ...]:
    """torch.export's form of an op that mutates: (result, the new rings). In the program the op itself writes the
    state, so the new rings are the same states."""
    if op is not torch.ops.yanrt.ring_attention.default:
        raise UnsupportedError("an op that mutates its operands, other than yanrt::ring_attention")
    rings = [_all_bases[kwargs[f"_{name}_base_index"]] for name in ("k_ring", "v_ring")]
    for ring in rings:
        if not isinstance(ring, Value) or ring.source != "state":
            raise UnsupportedError("a ring must be a buffer of the module, used as it is")
    inputs = [*(kwargs[name] for name in ("q", "k", "v")), *rings]
    inputs += [kwargs[name] for name in ("frame", "first_valid", "bias")]
    attrs = {name: kwargs[name] for name in ("commit", "history", "scope", "scale")}
    return ctx.op("ring_attention", inputs, attrs), *_all_bases
