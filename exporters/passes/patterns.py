"""What the fusion passes look for."""

import math

from ..ir import Op, Value
from ..ir.graph import Graph, make_op
from ..ir.program import Attr, Shape


def instruction(op: Op | None) -> list[str] | None:
    """The words of a `pointwise` that holds a single instruction."""
    if op is None or op.name != "pointwise" or len(op.attrs["expr"]) != 1:  # type: ignore[arg-type]
        return None
    return op.attrs["expr"][0].split()  # type: ignore[index,union-attr]


def other_operand(op: Op | None, name: str, value: Value) -> Value | None:
    """`y` if the op computes `name x y` or `name y x` of two different inputs, where x is `value`; `name` commutes."""
    words = instruction(op)
    if op is None or words is None or sorted(words[1:]) != ["i0", "i1"] or words[0] != name:
        return None
    a, b = op.inputs[0], op.inputs[1]
    if a is b:
        return None
    return b if a is value else a


def operand_and_literal(op: Op | None, name: str) -> tuple[Value, float] | None:
    """(x, c) if the op computes `name x c`, or, where `name` commutes, `name c x`."""
    words = instruction(op)
    if op is None or words is None or words[0] != name or len(op.inputs) != 1 or len(words) != 3:
        return None
    value = op.inputs[0]
    if words[2] == "i0" and name in ("add", "mul"):
        words = [name, "i0", words[1]]
    if value is None or words[1] != "i0" or words[2][0] in "i%":
        return None
    return value, float(words[2])


def fused(graph: Graph, op: Op, after: Op, changes: dict[int, Value], **attrs: str | int) -> Value:
    """Puts `op` with other operands and attributes in the place of `after`, the only reader of its result."""
    inputs = [changes.get(i, value) for i, value in enumerate(op.inputs)]
    joined = Op(op.name, inputs, [Value(op.output.dtype, op.output.shape)], {**op.attrs, **attrs}, op.source)
    result = graph.insert(joined, after)
    graph.replace(after.output, result)
    graph.remove(after)
    graph.remove(op)
    return result


def unpermuted(graph: Graph, value: Value, dims: Attr, before: Op) -> Value:
    """The value in the order that a permute by `dims` would bring back."""
    order: list[int] = dims  # type: ignore[assignment]
    inverse: Attr = [order.index(i) for i in range(len(order))]
    return graph.insert(make_op("permute", [value], {"dims": inverse}, dtype=value.dtype), before)


def row_table(table: Value, shape: Shape) -> tuple[int, int] | None:
    """(G, group_rows) if the value, broadcast to `shape`, gives row r of the flattened leading dimensions its entry
    (r / group_rows) % G; None if it does not."""
    lead = (1,) * (len(shape) - len(table.shape)) + table.shape
    if table.dtype != "f32" or len(lead) != len(shape) or lead[-1] != shape[-1]:
        return None
    varying = [i for i, extent in enumerate(lead[:-1]) if extent != 1]
    if not varying:
        return 1, 1
    # Dimensions of extent 1 in both may stand anywhere; the others must be whole from the first to the last that
    # varies.
    if any(lead[i] != shape[i] for i in range(varying[0], varying[-1] + 1)):
        return None
    return math.prod(lead[:-1]), math.prod(shape[varying[-1] + 1 : -1])
