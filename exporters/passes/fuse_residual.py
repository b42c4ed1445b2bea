"""residual + linear, residual + conv2d -> the op's own `residual`. The op moves to where the sum stood, and before a
permute that the sum stood behind, as it does where a convolution meets NCHW."""

from ..ir import Module, Op, Value
from ..ir.graph import Graph, make_op
from ..ir.program import Attr
from .patterns import fused, other_operand, unpermuted

_RESIDUAL = {"linear": 4, "conv2d": 3}


def fuse_residual(module: Module, graph: Graph) -> None:
    for op in reversed(list(graph.program.ops)):  # of two candidates the later one: the other may be its residual
        at = _RESIDUAL.get(op.name)
        if at is None or op.inputs[at] is not None:
            continue
        after = graph.sole_reader(op.output)
        permute = after if after is not None and after.name == "permute" else None
        seen = op.output if permute is None else permute.output
        reader = graph.sole_reader(seen)
        residual = other_operand(reader, "add", seen)
        if reader is None or residual is None:
            continue
        if residual.dtype == "f32" and residual.shape == seen.shape == reader.output.shape:
            if permute is not None:
                reader, residual = _sum_before(graph, permute, reader, residual)
            fused(graph, op, reader, {at: residual})


def _sum_before(graph: Graph, permute: Op, reader: Op, residual: Value) -> tuple[Op, Value]:
    """The sum of what `permute` reads with `residual` in the same order; its readers see it through a permute."""
    before = unpermuted(graph, residual, permute.attrs["dims"], reader)
    add: dict[str, Attr] = {"expr": ["add i0 i1"]}
    moved = make_op("pointwise", [permute.inputs[0], before], add, shape=before.shape, source=reader.source)
    after = make_op("permute", [graph.insert(moved, reader)], permute.attrs, source=permute.source)
    graph.replace(reader.output, graph.insert(after, reader))
    graph.remove(reader)
    graph.remove(permute)
    return moved, before
