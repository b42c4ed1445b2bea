"""norm(x) * scale + shift -> `layer_norm` or `rms_norm` with tables; the adaLN of diffusion transformers."""

from ..ir import Module, Op, Value
from ..ir.graph import Graph, make_op
from .patterns import fused, other_operand, row_table


def fuse_modulate(module: Module, graph: Graph) -> None:
    for op in list(graph.program.ops):
        if op.name not in ("layer_norm", "rms_norm") or op.inputs[1] is not None or op.inputs[2] is not None:
            continue
        fused_op = _fuse(graph, op, "mul", 1)
        if fused_op is not None:
            _fuse(graph, fused_op, "add", 2)


def _fuse(graph: Graph, norm: Op, name: str, operand: int) -> Op | None:
    reader = graph.sole_reader(norm.output)
    table = other_operand(reader, name, norm.output)
    if reader is None or table is None or reader.output.shape != norm.output.shape:
        return None
    groups = row_table(table, norm.output.shape)
    known = norm.inputs[1]
    if groups is None or (known is not None and groups != (known.shape[0], norm.attrs["group_rows"])):
        return None
    flat = make_op("reshape", [table], {"shape": [groups[0], norm.output.shape[-1]]}, source=reader.source)
    value: Value = graph.insert(flat, reader)
    return graph.producer[fused(graph, norm, reader, {operand: value}, group_rows=groups[1])]
