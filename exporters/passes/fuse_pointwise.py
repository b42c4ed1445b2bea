"""Chains of `pointwise` become one op, so that each tensor is read and written once."""

from collections.abc import Callable

from ..ir import Module, Op, Value
from ..ir.graph import Graph

_MAX_INPUTS, _MAX_INSTRUCTIONS = 16, 128
_BOOLEAN = {"eq", "ne", "lt", "le", "gt", "ge", "and", "or", "not"}


def fuse_pointwise(module: Module, graph: Graph) -> None:
    for op in list(graph.program.ops):
        if op.name != "pointwise":
            continue
        joined: Op | None = op
        while joined is not None:
            reader = graph.sole_reader(joined.output)
            fits = reader is not None and reader.name == "pointwise" and _register_keeps(joined)
            joined = _join(graph, joined, reader) if fits and reader is not None else None


def _register_keeps(op: Op) -> bool:
    """True if a register holds the result as it is: nothing is narrowed by storing it."""
    last = op.attrs["expr"][-1].split()[0]  # type: ignore[index,union-attr]
    return op.output.dtype in ("f32", "i64") or (op.output.dtype == "bool" and last in _BOOLEAN)


def _join(graph: Graph, op: Op, reader: Op) -> Op | None:
    """The chain of `op`, then that of `reader`, as one op; None if it would be too long."""
    if reader.output.shape != op.output.shape:  # a broadcast result would be computed again and again
        return None
    inputs: list[Value | None] = []

    def place(value: Value | None) -> int:
        at = next((i for i, known in enumerate(inputs) if known is value), len(inputs))
        if at == len(inputs):
            inputs.append(value)
        return at

    first: list[str] = op.attrs["expr"]  # type: ignore[assignment]
    second: list[str] = reader.attrs["expr"]  # type: ignore[assignment]
    chain = [_rename(text, lambda i: f"i{place(op.inputs[i])}", 0) for text in first]
    result = f"%{len(first) - 1}"
    chain += [
        _rename(text, lambda i: result if reader.inputs[i] is op.output else f"i{place(reader.inputs[i])}", len(first))
        for text in second
    ]
    if len(inputs) > _MAX_INPUTS or len(chain) > _MAX_INSTRUCTIONS:
        return None
    output = Value(reader.output.dtype, reader.output.shape)
    joined = Op("pointwise", inputs, [output], {"expr": chain}, reader.source)
    graph.replace(reader.output, graph.insert(joined, reader))
    graph.remove(reader)
    graph.remove(op)
    return joined


def _rename(text: str, operand: Callable[[int], str], offset: int) -> str:
    name, *args = text.split()
    renamed = []
    for arg in args:
        if arg[0] == "i" and arg[1:].isdigit():
            arg = operand(int(arg[1:]))
        elif arg[0] == "%":
            arg = f"%{int(arg[1:]) + offset}"
        renamed.append(arg)
    return " ".join([name, *renamed])
