"""A whole program in float64: its ops by `REFERENCE`, their operands rounded and quantised as the CUDA backend does.

What a precision rounds is stated here once more, from docs and not from the code: a GEMM, an attention and a ring take
bf16, and so do the weights of a softmax before they meet the values; in fp8 a linear layer takes rows of E4M3, each
with a scale of its own, made of bf16 where nobody reads the value in f32. All else, and every sum, is float64.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.reference.bfloat16 import to_bf16
from tests.reference.e4m3 import quantise_rows
from tests.reference.ops import REFERENCE, attention, ring_attention
from tests.reference.quantised import e4m3_channels
from yanrt import _C

Array = NDArray[Any]
OPS: dict[str, dict[str, Any]] = {op["name"]: op for op in _C.op_table()}


def _bf16(x: Array) -> Array:
    return to_bf16(x.astype(np.float32)).astype(np.float64)


@dataclass
class ReferenceProgram:
    """`program` of a package's `manifest`; a call takes the inputs in order and moves `state` on."""

    native: _C.Package
    manifest: Mapping[str, Any]
    program: str
    fp8: bool
    _tensors: dict[str, Array] = field(default_factory=dict)
    _weights: dict[str, Array] = field(default_factory=dict)

    def __call__(self, inputs: list[Array], state: dict[str, Array]) -> list[Array]:
        program = self.manifest["programs"][self.program]
        narrowed = self._narrowed(program)
        values: dict[int, Array] = {}
        for index, value in enumerate(program["values"]):
            if "tensor" in value:
                values[index] = self._tensor(value["tensor"])
            elif "state" in value:
                values[index] = state[value["state"]]
        for port, array in zip(program["inputs"], inputs, strict=True):
            values[port["value"]] = array
        for op in program["ops"]:
            self._run(op, program["values"], values, narrowed, state)
        for update in program["updates"]:
            declared = state[update["state"]]
            state[update["state"]] = values[update["value"]].astype(declared.dtype)
        return [values[port["value"]] for port in program["outputs"]]

    def _run(
        self,
        op: Mapping[str, Any],
        described: list[Mapping[str, Any]],
        values: dict[int, Array],
        narrowed: set[int],
        state: dict[str, Array],
    ) -> None:
        operands = [None if i < 0 else self._operand(op, p, i, values[i], described) for p, i in enumerate(op["in"])]
        out = described[op["out"][0]]
        if op["op"] in ("attention", "ring_attention"):
            run = attention if op["op"] == "attention" else ring_attention
            result: Any = run(operands, op["attrs"], out["shape"], out["dtype"], rounded=_bf16)
        else:
            result = REFERENCE[op["op"]](operands, op["attrs"], out["shape"], out["dtype"])
        if op["op"] == "ring_attention":
            result, *rings = result
            for place, ring in zip((3, 4), rings, strict=True):
                state[described[op["in"][place]]["state"]] = ring.astype(np.float32)
        values[op["out"][0]] = _bf16(result) if op["out"][0] in narrowed else result

    def _operand(
        self, op: Mapping[str, Any], place: int, index: int, x: Array, described: list[Mapping[str, Any]]
    ) -> Array:
        role = _role(op["op"], place)
        if role == "weight":
            return self._weight(described[index]["tensor"], op["op"] == "linear")
        if not np.issubdtype(x.dtype, np.floating):
            return x
        x = x.astype(np.float64)
        if self.fp8 and op["op"] == "linear" and place == 0:
            return quantise_rows(x)
        return x if role == "exact" else _bf16(x)

    def _tensor(self, name: str) -> Array:
        if name not in self._tensors:
            self._tensors[name] = self.native.tensor(name)
        return self._tensors[name]

    def _weight(self, name: str, linear: bool) -> Array:
        """As stored if that is E4M3; else rounded to what the precision multiplies."""
        if name not in self._weights:
            weight = self._tensor(name)
            stored_quantised = "scale" in self.manifest["tensors"][name]
            if not stored_quantised:
                weight = e4m3_channels(weight) if self.fp8 and linear else to_bf16(weight)
            self._weights[name] = weight.astype(np.float64)
        return self._weights[name]

    def _narrowed(self, program: Mapping[str, Any]) -> set[int]:
        """Values kept in bf16: an op can write them so, and nobody reads them, through views, in f32."""
        wide = {named["value"] for named in (*program["outputs"], *program["updates"])}
        for op in reversed(program["ops"]):
            for place, index in enumerate(op["in"]):
                view_of_narrow = OPS[op["op"]]["view"] and op["out"][0] not in wide
                if not view_of_narrow and _role(op["op"], place) == "exact":
                    wide.add(index)
        return {
            op["out"][0]
            for op in program["ops"]
            if OPS[op["op"]]["outputs"][0]["role"] != "exact" and op["out"][0] not in wide
        }


def _role(op: str, place: int) -> str:
    inputs = OPS[op]["inputs"]
    return str(inputs[min(place, len(inputs) - 1)]["role"])
