"""Removes ops whose results nobody reads. An op that writes a state (a ring with commit > 0) always stays."""

from ..ir import Module, Op
from ..ir.graph import Graph


def has_effect(op: Op) -> bool:
    return op.name == "ring_attention" and op.attrs["commit"] != 0


def dead_code(module: Module, graph: Graph) -> None:
    for op in reversed(list(graph.program.ops)):
        if not has_effect(op) and not any(graph.readers(out) or graph.is_bound(out) for out in op.outputs):
            graph.remove(op)
