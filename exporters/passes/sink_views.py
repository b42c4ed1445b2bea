"""Moves a reshape or permute from before a `pointwise` to behind it, where it can meet the next view and cancel."""

from ..ir import Module, Op, Value
from ..ir.graph import Graph, make_op
from .patterns import unpermuted


def sink_views(module: Module, graph: Graph) -> None:
    for op in list(graph.program.ops):
        view = _common_view(graph, op) if op.name == "pointwise" else None
        if view is None:
            continue
        inputs = [_behind(graph, value, view, op) for value in op.inputs if value is not None]
        source = view.inputs[0]
        assert source is not None
        moved = make_op("pointwise", [*inputs], op.attrs, shape=source.shape, dtype=op.output.dtype, source=op.source)
        value = graph.insert(moved, op)
        after = make_op(view.name, [value], view.attrs, dtype=op.output.dtype, source=view.source)
        graph.replace(op.output, graph.insert(after, op))
        graph.remove(op)


def _common_view(graph: Graph, op: Op) -> Op | None:
    """The view through which all inputs of the full shape come, if it is one and the same."""
    views = [graph.producer.get(value) for value in op.inputs if value is not None and value.shape == op.output.shape]
    first = views[0] if views else None
    if first is None or first.name not in ("reshape", "permute"):
        return None
    for view in views:
        if view is None or (view.name, view.attrs, _source(view).shape) != (
            first.name,
            first.attrs,
            _source(first).shape,
        ):
            return None
    small = [value for value in op.inputs if value is not None and value.shape != op.output.shape]
    if first.name == "reshape" and any(value.numel != 1 for value in small):
        return None
    return first


def _source(view: Op) -> Value:
    value = view.inputs[0]
    assert value is not None
    return value


def _behind(graph: Graph, value: Value, view: Op, before: Op) -> Value:
    """The operand as it was before the view."""
    if value.shape == view.output.shape:
        return _source(graph.producer[value])
    rank = len(_source(view).shape)
    if value.numel == 1:
        shape = [1] * rank
        return graph.insert(make_op("reshape", [value], {"shape": shape}, dtype=value.dtype), before)
    wide = make_op(
        "reshape", [value], {"shape": [1] * (rank - len(value.shape)) + list(value.shape)}, dtype=value.dtype
    )
    return unpermuted(graph, graph.insert(wide, before), view.attrs["dims"], before)
