"""act(linear), act(conv2d), act(group_norm) -> the op's own `act`."""

from ..ir import Module
from ..ir.graph import Graph
from ..ir.table import op_table
from .patterns import fused, instruction


def fuse_activation(module: Module, graph: Graph) -> None:
    for op in list(graph.program.ops):
        if op.attrs.get("act") != "none" or any(value is not None for value in op.inputs[3:]):
            continue
        reader = graph.sole_reader(op.output)
        words = instruction(reader)
        _, choices = op_table()[op.name].attrs["act"]
        if reader is not None and words is not None and words[1:] == ["i0"] and words[0] in choices:
            fused(graph, op, reader, {}, act=words[0])
