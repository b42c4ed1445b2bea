"""Computes equal things once: the same op with the same operands and attributes."""

from typing import Any

from ..ir import Module, Op
from ..ir.graph import Graph


def _key(op: Op) -> tuple[Any, ...]:
    attrs = tuple((key, tuple(value) if isinstance(value, list) else value) for key, value in op.attrs.items())
    operands = tuple(
        None if value is None else (value.source, value.name if value.source in ("tensor", "state") else id(value))
        for value in op.inputs
    )
    return op.name, operands, attrs, op.output.dtype, op.output.shape


def common_subexpressions(module: Module, graph: Graph) -> None:
    seen: dict[tuple[Any, ...], Op] = {}
    for op in list(graph.program.ops):
        if op.name == "ring_attention":  # reads state that an equal one before it may have written
            continue
        first = seen.setdefault(_key(op), op)
        if first is not op:
            graph.replace(op.output, first.output)
            graph.remove(op)
