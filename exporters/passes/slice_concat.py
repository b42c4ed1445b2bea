"""A slice of a concat that lies within one part is that part, or a slice of it. Writing into some elements of a tensor,
which torch.export reports as a new tensor, leaves such pairs behind."""

from ..ir import Module, Op, Value
from ..ir.graph import Graph, make_op


def slice_concat(module: Module, graph: Graph) -> None:
    for op in list(graph.program.ops):
        concat = graph.made_by(op.inputs[0], "concat") if op.name == "slice" else None
        if concat is not None and concat.attrs["dim"] == op.attrs["dim"]:
            part = _part(graph, op, concat)
            if part is not None:
                graph.replace(op.output, part)
                graph.remove(op)


def _part(graph: Graph, op: Op, concat: Op) -> Value | None:
    dim, start, stop, step = (op.attrs[key] for key in ("dim", "start", "stop", "step"))
    assert isinstance(dim, int)
    assert isinstance(start, int)
    assert isinstance(stop, int)
    for value in concat.inputs:
        assert value is not None
        extent = value.shape[dim]
        if start >= 0 and stop <= extent:
            if (start, stop, step) == (0, extent, 1):
                return value
            attrs = {"dim": dim, "start": start, "stop": stop, "step": step}
            return graph.insert(make_op("slice", [value], attrs, dtype=value.dtype, source=op.source), op)
        start, stop = start - extent, stop - extent
    return None
