"""x * rsqrt(mean(x^2) + eps) over the last dimension -> `rms_norm`, as many models write it out."""

from ..ir import Module, Op, Value
from ..ir.graph import Graph, make_op
from .patterns import instruction, operand_and_literal


def fuse_rms_norm(module: Module, graph: Graph) -> None:
    for op in list(graph.program.ops):
        words = instruction(op)
        if words is None or words[0] not in ("mul", "div") or len(op.inputs) != 2 or sorted(words[1:]) != ["i0", "i1"]:
            continue
        for x, factor in (op.inputs, op.inputs[::-1]):
            eps = _eps(graph, x, factor, "rsqrt" if words[0] == "mul" else "sqrt")
            divides = words[0] == "mul" or x is op.inputs[int(words[1][1:])]
            if eps is not None and divides and x is not None and x.shape == op.output.shape:
                attrs = {"eps": eps, "group_rows": 1}
                norm = make_op("rms_norm", [x, None, None], attrs, source=op.source)  # type: ignore[arg-type]
                graph.replace(op.output, graph.insert(norm, op))
                graph.remove(op)
                break


def _eps(graph: Graph, x: Value | None, factor: Value | None, root: str) -> float | None:
    """eps, if `factor` is root(mean(x^2) + eps)."""
    rooted = _maker(graph, factor, root)
    total = graph.producer.get(rooted.inputs[0]) if rooted is not None else None  # type: ignore[arg-type]
    added = operand_and_literal(total, "add")
    if added is None:
        return None
    mean = graph.made_by(added[0], "reduce")
    if mean is None or mean.attrs != {"kind": "mean", "dim": len(mean.output.shape) - 1}:
        return None
    square = _maker(graph, mean.inputs[0], "mul")
    if square is None or instruction(square) != ["mul", "i0", "i0"] or square.inputs[0] is not x:
        return None
    return added[1]


def _maker(graph: Graph, value: Value | None, name: str) -> Op | None:
    """The op that makes the value by this one instruction."""
    op = graph.made_by(value, "pointwise")
    words = instruction(op)
    return op if words is not None and words[0] == name else None
