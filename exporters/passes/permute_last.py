"""Moves a permute that ends a program from behind the last `pointwise` to before it: the op reads by strides and writes
in the final order, in one pass. Frames leave a decoder so: pixels are shuffled while they become bytes."""

from ..ir import Module, Op, Value
from ..ir.graph import Graph, make_op


def permute_last(module: Module, graph: Graph) -> None:
    for op in list(graph.program.ops):
        made = graph.made_by(op.inputs[0], "pointwise") if op.name == "permute" else None
        if made is None or graph.sole_reader(made.output) is not op or not _ends_program(graph, op.output):
            continue
        if any(value is not None and len(value.shape) != len(made.output.shape) for value in made.inputs):
            continue
        inputs = [_permuted(graph, value, op) for value in made.inputs]
        dtype = op.output.dtype
        last = make_op("pointwise", inputs, made.attrs, shape=op.output.shape, dtype=dtype, source=made.source)
        graph.replace(op.output, graph.insert(last, op))
        graph.remove(op)
        graph.remove(made)


def _ends_program(graph: Graph, value: Value) -> bool:
    """True for an output, and for what is only reshaped to one."""
    if graph.is_bound(value):
        return not graph.readers(value)
    reader = graph.sole_reader(value)
    return reader is not None and reader.name == "reshape" and _ends_program(graph, reader.output)


def _permuted(graph: Graph, value: Value | None, permute: Op) -> Value | None:
    if value is None:
        return None
    return graph.insert(make_op("permute", [value], permute.attrs, dtype=value.dtype, source=permute.source), permute)
