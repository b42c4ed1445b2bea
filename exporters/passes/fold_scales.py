"""A constant factor or offset an output channel behind `conv2d` or `linear` (a batch norm, a layer scale) goes into its
weight and bias. A weight that another op reads too is left alone: a scaled copy would cost the package more than the
factor costs the op."""

from collections import Counter

import numpy as np

from ..ir import Module, Op, Value
from ..ir.graph import Graph, make_op
from .fold_constants import store
from .patterns import other_operand

_BIAS = 2


def fold_scales(module: Module, graph: Graph) -> None:
    readers = _readers(module)  # the ops that are folded here have a weight to themselves, which no other op asks about
    for op in list(graph.program.ops):
        if op.name not in ("conv2d", "linear") or op.attrs["act"] != "none" or any(op.inputs[3:]):
            continue
        weight = op.inputs[1]
        shared = weight is not None and readers[weight.name] > 1
        folded = None if shared else _fold(module, graph, op, "mul")
        _fold(module, graph, folded or op, "add")


def _fold(module: Module, graph: Graph, op: Op, name: str) -> Op | None:
    reader = graph.sole_reader(op.output)
    constant = other_operand(reader, name, op.output)
    weight, bias = op.inputs[1], op.inputs[_BIAS]
    assert weight is not None
    channels = op.output.shape[-1]
    if reader is None or constant is None or constant.source != "tensor" or reader.output.shape != op.output.shape:
        return None
    if constant.shape[-1:] != (channels,) or constant.numel != channels or constant.dtype != "f32":
        return None
    values = module.tensors[constant.name].data.reshape(channels)
    old = None if bias is None else module.tensors[bias.name].data
    if name == "mul":
        scaled = module.tensors[weight.name].data * values.reshape(-1, *[1] * (len(weight.shape) - 1))
        weight = _tensor(module, scaled, weight.name)
        new = None if old is None else old * values
    else:
        new = values if old is None else old + values
    if new is not None:
        bias = _tensor(module, new, bias.name if bias is not None else constant.name)
    inputs = [op.inputs[0], weight, bias, *op.inputs[3:]]
    joined = make_op(op.name, inputs, op.attrs, source=op.source)
    graph.replace(reader.output, graph.insert(joined, reader))
    graph.remove(reader)
    graph.remove(op)
    return joined


def _readers(module: Module) -> Counter[str]:
    """How many operands, in all programs, are each tensor."""
    operands = (operand for program in module.programs.values() for op in program.ops for operand in op.inputs)
    return Counter(operand.name for operand in operands if operand is not None and operand.source == "tensor")


def _tensor(module: Module, data: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]", origin: str) -> Value:
    name = store(module, np.ascontiguousarray(data, np.float32), origin)
    return Value("f32", data.shape, "tensor", name)
