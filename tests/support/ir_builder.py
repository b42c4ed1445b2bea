"""Builds small programs of the exporter's IR, and shows them after some passes."""

from collections.abc import Callable
from textwrap import dedent

import numpy as np

from exporters.ir import Module, Program, Tensor, Value, verify
from exporters.ir.graph import Graph, make_op
from exporters.ir.printer import dump_program


class Builder:
    """A program of one input `x`; tensors are filled with 0, 1, 2, ..."""

    def __init__(self, shape: tuple[int, ...], dtype: str = "f32") -> None:
        self.module, self.program = Module(), Program("p")
        self.module.programs["p"] = self.program
        self.x = self.program.inputs["x"] = Value(dtype, shape, "input", "x")

    def tensor(self, name: str, *shape: int) -> Value:
        self.module.tensors[name] = Tensor(np.arange(np.prod(shape), dtype=np.float32).reshape(shape))
        return Value("f32", shape, "tensor", name)

    def op(self, name: str, *inputs: Value | None, **attrs) -> Value:
        self.program.ops.append(make_op(name, list(inputs), attrs))
        return self.program.ops[-1].output

    def pointwise(self, text: str, *inputs: Value, dtype: str = "f32") -> Value:
        shape = np.broadcast_shapes(*(value.shape for value in inputs))
        self.program.ops.append(make_op("pointwise", list(inputs), {"expr": [text]}, shape=shape, dtype=dtype))
        return self.program.ops[-1].output

    def linear(self, x: Value, out: int, name: str = "w") -> Value:
        weight = self.tensor(name, out, x.shape[-1])
        return self.op("linear", x, weight, None, None, None, act="none", gate_rows=1)

    def norm(self, x: Value) -> Value:
        return self.op("layer_norm", x, None, None, eps=1e-5, group_rows=1)

    def conv(self, x: Value, out: int) -> Value:
        weight = self.tensor("w", out, 3, 3, x.shape[3])
        attrs = {"stride": [1, 1], "padding": [1, 1, 1, 1], "dilation": [1, 1], "groups": 1, "act": "none"}
        return self.op("conv2d", x, weight, None, None, **attrs)

    def after(self, *passes: Callable[[Module, Graph], None], **outputs: Value) -> str:
        """The program's lines after the passes, without its header."""
        self.program.outputs = outputs
        verify(self.module)
        for run in passes:
            run(self.module, Graph(self.program))
        verify(self.module)
        return dump_program(self.program).split("\n", 1)[1]


def lines(text: str) -> str:
    return "".join(f"  {line}\n" for line in dedent(text).strip().split("\n"))
