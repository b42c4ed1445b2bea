"""Chooses and applies the storage of weights.

Only operands that a kernel prepacks (role `weight` in the table of ops) are narrowed. FP8 keeps the largest magnitude of
each output channel at E4M3's maximum, as DeepSeek-V3's and TransformerEngine's per-channel scaling do. Weights stay bf16 where FP8 gains
little or costs much: small ones, and those next to a program's inputs and outputs, whose error nothing averages out.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..ir import Module, Op, Program, Value
from ..ir.graph import Graph
from ..ir.table import op_table

STORES = ("f32", "bf16", "fp8")
E4M3_MAX = 448.0
SMALL = 4096  # elements
LARGE_EDGE = 1 << 20  # a first or last layer beyond this is stored in FP8 after all
_TRANSPARENT = ("reshape", "permute", "slice", "expand", "copy", "concat", "pad", "pointwise")


def round_as(data: NDArray[np.float32], store: str) -> tuple[NDArray[np.float32], NDArray[Any] | None, Any]:
    """(rounded values, their bits, scales): `store` is "f32", "bf16" or "f8e4m3"; the first dimension is the channels."""
    if store == "f32":
        return data, None, None
    tensor = torch.from_numpy(np.ascontiguousarray(data))
    if store == "bf16":
        narrow = tensor.to(torch.bfloat16)
        return narrow.float().numpy(), narrow.view(torch.uint16).numpy(), None
    largest = tensor.abs().flatten(1).amax(1)
    scale = torch.where(largest > 0, largest / E4M3_MAX, 1.0)
    column = scale.reshape(-1, *[1] * (tensor.ndim - 1))
    eight = (tensor / column).clamp(-E4M3_MAX, E4M3_MAX).to(torch.float8_e4m3fn)
    return (eight.float() * column).numpy(), eight.view(torch.uint8).numpy(), scale.numpy()


def store_weights(module: Module, weights: str) -> dict[str, str]:
    """Narrows the module's weights in place; returns what each is stored as. ValueError for an unknown `weights`."""
    if weights not in STORES:
        raise ValueError(f"unknown storage {weights!r}; valid are {', '.join(STORES)}")
    if weights == "f32":
        return {}
    edges = set().union(*(_edge_weights(program) for program in module.programs.values()))
    chosen = {}
    for name in sorted(_weights(module)):
        tensor = module.tensors[name]
        edge = name in edges and tensor.data.size <= LARGE_EDGE
        narrow = weights == "fp8" and tensor.data.size > SMALL and not edge
        tensor.store = chosen[name] = "f8e4m3" if narrow else "bf16"
        tensor.data, tensor.bits, tensor.scale = round_as(tensor.data, tensor.store)
    return chosen


def _operands(op: Op, role: str) -> list[Value]:
    definition = op_table()[op.name]
    return [v for i, v in enumerate(op.inputs) if v is not None and (definition.input(i).role == role)]


def _weights(module: Module) -> set[str]:
    """Tensors that are weights wherever they are read."""
    weights, others = set(), set()
    for program in module.programs.values():
        for op in program.ops:
            here = {value.name for value in _operands(op, "weight")}
            weights |= here
            others |= {v.name for v in op.inputs if v is not None and v.source == "tensor"} - here
    return weights - others


def _edge_weights(program: Program) -> set[str]:
    """Weights of the ops that read a program's input or state, or make its output, with nothing but views and
    element-wise work between."""
    graph = Graph(program)
    outer = {value for value in program.inputs.values()}
    edges = set()
    for op in program.ops:
        if not any(value in outer or (value is not None and value.source == "state") for value in op.inputs):
            continue
        if op.name in _TRANSPARENT or op.name == "randn":
            outer.update(op.outputs)
        edges |= {value.name for value in _operands(op, "weight")}
    pending = [*program.outputs.values(), *program.updates.values()]
    while pending:
        op_or_none = graph.producer.get(pending.pop())
        if op_or_none is None:
            continue
        edges |= {value.name for value in _operands(op_or_none, "weight")}
        if op_or_none.name in _TRANSPARENT:
            pending += [value for value in op_or_none.inputs if value is not None]
    return edges
