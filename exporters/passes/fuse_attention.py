"""softmax(scale * q k^T + mask) v, written out as products -> `attention`."""

from dataclasses import dataclass

from ..ir import Module, Op, Value
from ..ir.graph import Graph, make_op
from ..ir.shapes import ShapeError, broadcast
from .patterns import instruction, operand_and_literal


@dataclass
class _Logits:
    product: Op  # q k^T
    scale: float = 1.0
    mask: Value | None = None


def fuse_attention(module: Module, graph: Graph) -> None:
    for op in list(graph.program.ops):
        softmax = graph.made_by(op.inputs[0], "softmax") if op.name == "matmul" else None
        if softmax is None or graph.sole_reader(softmax.output) is not op:
            continue
        logits = _logits(graph, softmax.inputs[0], softmax)
        if logits is not None:
            _replace(graph, op, logits)


def _logits(graph: Graph, value: Value | None, reader: Op) -> _Logits | None:
    """What the softmax reads: a product, then at most one factor, then at most one addend."""
    mask: Value | None = None
    scale = 1.0
    for _ in range(3):
        op = graph.producer.get(value) if value is not None else None
        if value is None or op is None or graph.sole_reader(value) is not reader:
            return None
        if op.name == "matmul":
            return _Logits(op, scale, mask)
        factor = operand_and_literal(op, "mul") or operand_and_literal(op, "div")
        addends = _addends(graph, op)
        if factor is not None and scale == 1.0:
            scale = factor[1] if operand_and_literal(op, "mul") else 1 / factor[1]
            value, reader = factor[0], op
        elif addends is not None and mask is None and scale == 1.0:
            value, mask, reader = *addends, op
        else:
            return None
    return None


def _addends(graph: Graph, op: Op) -> tuple[Value, Value] | None:
    """(the one that comes from a product, the other one) of a sum of two."""
    words = instruction(op)
    if words is None or words[0] != "add" or len(op.inputs) != 2 or sorted(words[1:]) != ["i0", "i1"]:
        return None
    for one, other in (op.inputs, op.inputs[::-1]):
        maker = graph.producer.get(one)  # type: ignore[arg-type]
        made = maker is not None and (maker.name == "matmul" or operand_and_literal(maker, "mul") is not None
                                      or operand_and_literal(maker, "div") is not None)  # fmt: skip
        if made and one is not None and other is not None and one.shape == op.output.shape:
            return one, other
    return None


def _replace(graph: Graph, op: Op, logits: _Logits) -> None:
    q, k = logits.product.inputs
    v = op.inputs[1]
    assert q is not None
    assert k is not None
    assert v is not None
    rank = len(q.shape)
    swap_last = [*range(rank - 2), rank - 1, rank - 2]
    by_token = [*range(rank - 3), rank - 2, rank - 3, rank - 1]

    def permuted(value: Value, dims: list[int]) -> Value:
        return graph.insert(make_op("permute", [value], {"dims": dims}, source=op.source), op)

    k_rows, v_rows = (
        tuple(value.shape[i] for i in swap_last) if swap else value.shape
        for value, swap in ((k, logits.product.attrs["transpose_b"] == 0), (v, op.attrs["transpose_b"] == 1))
    )
    if rank < 3 or k_rows != v_rows or q.shape[-1] != k_rows[-1] or not _fits(logits):
        return
    k = permuted(k, swap_last) if k_rows is not k.shape else k
    v = permuted(v, swap_last) if v_rows is not v.shape else v
    inputs = [*(permuted(value, by_token) for value in (q, k, v)), logits.mask]
    attrs = {"scale": float(logits.scale), "causal": 0}
    attention = graph.insert(make_op("attention", inputs, attrs, source=op.source), op)  # type: ignore[arg-type]
    graph.replace(op.output, permuted(attention, by_token))
    graph.remove(op)


def _fits(logits: _Logits) -> bool:
    """The mask, if there is one, broadcasts to the logits."""
    shape, mask = logits.product.output.shape, logits.mask
    try:
        return mask is None or (mask.dtype == "f32" and broadcast(mask.shape, shape) == shape)
    except ShapeError:
        return False
