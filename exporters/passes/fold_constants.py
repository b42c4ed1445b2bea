"""Views and concatenations of tensors of the file are made at export. What computes with numbers and depends on
constants alone was folded by the lowering, in torch (lower/lower.py)."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..ir import Module, Tensor, Value
from ..ir.graph import Graph

Array = NDArray[Any]


def _slice(x: Array, dim: int, start: int, stop: int, step: int) -> Array:
    return x[(slice(None),) * dim + (slice(start, stop, step),)]


_EVALUATE: dict[str, Callable[..., Array]] = {
    "reshape": lambda x, shape: x.reshape(shape),
    "permute": lambda x, dims: x.transpose(dims),
    "slice": _slice,
    "expand": lambda x, shape: np.broadcast_to(x, shape),
    "copy": lambda x: x,
    "concat": lambda *parts, dim: np.concatenate(parts, dim),
}


def fold_constants(module: Module, graph: Graph) -> None:
    for op in list(graph.program.ops):
        operands = [value for value in op.inputs if value is not None]
        if op.name not in _EVALUATE or not all(value.source == "tensor" for value in operands):
            continue
        data = _EVALUATE[op.name](*(module.tensors[value.name].data for value in operands), **op.attrs)
        name = store(module, np.ascontiguousarray(data), operands[0].name)
        graph.replace(op.output, Value(op.output.dtype, op.output.shape, "tensor", name))
        graph.remove(op)


def store(module: Module, data: Array, origin: str) -> str:
    """Name of a tensor of this shape and content, which `origin` was made into."""
    base = f"{origin}[{'x'.join(map(str, data.shape))}]"
    name, count = base, 1
    while name in module.tensors:
        known = module.tensors[name].data
        if known.dtype == data.dtype and known.shape == data.shape and known.tobytes() == data.tobytes():
            return name
        count += 1
        name = f"{base}.{count}"
    module.tensors[name] = Tensor(data)
    return name
