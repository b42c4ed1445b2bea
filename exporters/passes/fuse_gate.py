"""gate * linear -> the op's own `gate`, where the gate is a table over groups of rows."""

from ..ir import Module
from ..ir.graph import Graph, make_op
from .patterns import fused, other_operand, row_table

_GATE, _RESIDUAL = 3, 4


def fuse_gate(module: Module, graph: Graph) -> None:
    for op in list(graph.program.ops):
        if op.name != "linear" or op.inputs[_GATE] is not None or op.inputs[_RESIDUAL] is not None:
            continue
        reader = graph.sole_reader(op.output)
        gate = other_operand(reader, "mul", op.output)
        if reader is None or gate is None or reader.output.shape != op.output.shape:
            continue
        groups = row_table(gate, op.output.shape)
        if groups is not None:
            shape = [groups[0], op.output.shape[-1]]
            flat = graph.insert(make_op("reshape", [gate], {"shape": shape}, source=reader.source), reader)
            fused(graph, op, reader, {_GATE: flat}, gate_rows=groups[1])
