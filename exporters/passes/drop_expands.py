"""`pointwise` broadcasts its inputs by itself: an `expand` before it is not needed."""

from ..ir import Module
from ..ir.graph import Graph


def drop_expands(module: Module, graph: Graph) -> None:
    for op in graph.program.ops:
        if op.name != "pointwise":
            continue
        for i, value in enumerate(op.inputs):
            expand = graph.made_by(value, "expand")
            if expand is not None:
                graph.set_input(op, i, expand.inputs[0])
