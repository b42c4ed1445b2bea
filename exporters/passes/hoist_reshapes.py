"""Moves a reshape that leaves the last dimension alone from behind a `linear` or a norm to before it, so that
what follows (gate, residual, modulation) meets the op itself."""

from ..ir import Module
from ..ir.graph import Graph, make_op


def hoist_reshapes(module: Module, graph: Graph) -> None:
    for op in list(graph.program.ops):
        if op.name not in ("linear", "layer_norm", "rms_norm") or any(value is not None for value in op.inputs[3:]):
            continue
        reshape = graph.sole_reader(op.output)
        x = op.inputs[0]
        assert x is not None
        if reshape is None or reshape.name != "reshape" or reshape.output.shape[-1:] != op.output.shape[-1:]:
            continue
        shape = [*reshape.output.shape[:-1], x.shape[-1]]
        before = graph.insert(make_op("reshape", [x], {"shape": shape}, source=reshape.source), op)
        moved = graph.insert(make_op(op.name, [before, *op.inputs[1:]], op.attrs, source=op.source), op)
        graph.replace(reshape.output, moved)
        graph.remove(reshape)
        graph.remove(op)
