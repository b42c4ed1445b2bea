"""residual + linear, residual + conv2d -> the op's own `residual`. The op moves to where the sum stood."""

from ..ir import Module
from ..ir.graph import Graph
from .patterns import fused, other_operand

_RESIDUAL = {"linear": 4, "conv2d": 3}


def fuse_residual(module: Module, graph: Graph) -> None:
    for op in reversed(list(graph.program.ops)):  # of two candidates the later one: the other may be its residual
        at = _RESIDUAL.get(op.name)
        if at is None or op.inputs[at] is not None:
            continue
        reader = graph.sole_reader(op.output)
        residual = other_operand(reader, "add", op.output)
        if reader is None or residual is None:
            continue
        if residual.dtype == "f32" and residual.shape == op.output.shape == reader.output.shape:
            fused(graph, op, reader, {at: residual})
