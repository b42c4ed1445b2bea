"""Moves a permute from before an op that works along one dimension, or pads, to behind it, where it can meet the next
view and cancel; `matmul` takes a permute of its second operand as `transpose_b`."""

from ..ir import Module, Op, Value
from ..ir.graph import Graph, make_op
from ..ir.program import Attr
from .patterns import unpermuted


def sink_permutes(module: Module, graph: Graph) -> None:
    for op in list(graph.program.ops):
        if op.name == "matmul":
            _absorb(graph, op)
        elif op.name in ("pad", "concat", "slice", "reduce"):
            _sink(graph, op)
        elif op.name in ("layer_norm", "rms_norm", "softmax"):
            _sink_rows(graph, op)


def _sink(graph: Graph, op: Op) -> None:
    dims = _common_order(graph, op)
    if dims is None:
        return
    inputs = [_in_order_of_input(graph, value, dims, op) for value in op.inputs if value is not None]
    moved = make_op(op.name, [*inputs], _moved_attrs(op, dims), dtype=op.output.dtype, source=op.source)
    value = graph.insert(moved, op)
    after = make_op("permute", [value], {"dims": dims}, dtype=op.output.dtype, source=op.source)
    graph.replace(op.output, graph.insert(after, op))
    graph.remove(op)


def _sink_rows(graph: Graph, op: Op) -> None:
    """An op over the last dimension, which the permute leaves there; tables, if any, are the same for all rows."""
    permute = graph.made_by(op.inputs[0], "permute")
    dims = permute.attrs["dims"] if permute is not None else []
    rank = len(op.output.shape)
    if permute is None or dims[-1:] != [rank - 1] or any(t is not None and t.shape[0] != 1 for t in op.inputs[1:]):  # type: ignore[index]
        return
    moved = make_op(op.name, [permute.inputs[0], *op.inputs[1:]], op.attrs, source=op.source)
    after = make_op("permute", [graph.insert(moved, op)], {"dims": dims}, source=op.source)
    graph.replace(op.output, graph.insert(after, op))
    graph.remove(op)


def _common_order(graph: Graph, op: Op) -> list[int] | None:
    """`dims` of the permute that all computed inputs come through, if it is one and the same."""
    orders = []
    for value in op.inputs:
        permute = graph.made_by(value, "permute")
        if permute is not None:
            orders.append(permute.attrs["dims"])
        elif value is not None and value.source != "tensor":
            return None
    return orders[0] if orders and all(order == orders[0] for order in orders) else None  # type: ignore[return-value]


def _in_order_of_input(graph: Graph, value: Value, dims: list[int], before: Op) -> Value:
    permute = graph.made_by(value, "permute")
    if permute is not None:
        source = permute.inputs[0]
        assert source is not None
        return source
    return unpermuted(graph, value, dims, before)


def _moved_attrs(op: Op, dims: list[int]) -> dict[str, Attr]:
    """Dimension i of what was permuted is dimension dims[i] of what was not."""
    if op.name != "pad":
        return {**op.attrs, "dim": dims[op.attrs["dim"]]}  # type: ignore[index]
    pads: list[int] = op.attrs["pads"]  # type: ignore[assignment]
    moved = [pads[2 * dims.index(i) + side] for i in range(len(dims)) for side in (0, 1)]
    return {**op.attrs, "pads": moved}


def _absorb(graph: Graph, op: Op) -> None:
    permute = graph.made_by(op.inputs[1], "permute")
    if permute is None:
        return
    rank = len(op.output.shape)
    if permute.attrs["dims"] == [*range(rank - 2), rank - 1, rank - 2]:
        attrs: dict[str, Attr] = {"transpose_b": 1 - op.attrs["transpose_b"]}  # type: ignore[operator]
        value = graph.insert(make_op("matmul", [op.inputs[0], permute.inputs[0]], attrs, source=op.source), op)
        graph.replace(op.output, value)
        graph.remove(op)
