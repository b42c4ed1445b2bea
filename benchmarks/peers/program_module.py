"""A program of a package as a PyTorch module without state: what every peer is given.

State becomes inputs and outputs. A ring becomes `past` `[B, history, P, H, D]`, oldest frame first, as it is once the
ring is full, and the frames to be committed become outputs; the noise is an input. Constants were folded at export,
so the peers are spared the same work as the runtime.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from yanrt.package import Package

from .ops import OPS, ring_attention, window_mask
from .pointwise import pointwise

_INTEGERS = ("i64", "i32", "bool")


class ProgramModule(nn.Module):
    """`forward` takes the tensors of `inputs` in order and returns those of `outputs`.

    `inputs` maps a name to (dtype, shape): ports, f32 state, "past.STATE" of each ring, "noise.N" of each randn.
    `outputs` names ports (`ports`, what a caller sees), updated f32 state, and "commit.STATE". Whatever only counts
    frames is left to the caller.
    """

    def __init__(self, package: Package, program: str, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.package, self.dtype = package, dtype
        described = package.manifest["programs"][program]
        self.values: list[dict[str, Any]] = described["values"]
        self.inputs: dict[str, tuple[str, tuple[int, ...]]] = {}
        self.outputs: list[str] = []
        self._source: dict[int, str] = {}  # value -> name of the input it is
        self._wanted: list[int] = []  # values, in the order of `outputs`
        self.ports = [port["name"] for port in described["outputs"]]
        for port in described["outputs"]:
            self._want(port["name"], port["value"])
        for update in described["updates"]:
            if self.values[update["value"]]["dtype"] not in _INTEGERS:
                self._want(update["state"], update["value"])
        rings = [op for op in described["ops"] if op["op"] == "ring_attention"]
        self.commits = [(ring, ring["attrs"]["commit"]) for ring in rings if ring["attrs"]["commit"]]
        for ring, _ in self.commits:
            for part in (0, 1):
                self._want("commit." + self.values[ring["in"][3 + part]]["state"], ring["in"][1 + part])
        self.ops = self._needed(described["ops"])
        self._declare_inputs(described)
        self._load_constants()
        self.to(dtype)

    def _want(self, name: str, value: int) -> None:
        self.outputs.append(name)
        self._wanted.append(value)

    def _needed(self, ops: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The ops that some wanted output depends on."""
        needed, live = [], set(self._wanted)
        for op in reversed(ops):
            if not live.isdisjoint(op["out"]):
                needed.append(op)
                if op["op"] != "randn":
                    live.update(_operands(op))
        return needed[::-1]

    def _declare_inputs(self, described: dict[str, Any]) -> None:
        used = {value for op in self.ops if op["op"] != "randn" for value in _operands(op)} | set(self._wanted)
        for port in described["inputs"]:
            if port["value"] in used:
                self._input(port["name"], port["value"])
        for value in sorted(used):
            state = self.values[value].get("state")
            if state and value not in self._source:
                self._input(state, value)
        for index, op in enumerate(self.ops):
            if op["op"] == "randn":
                self._input(f"noise.{index}", op["out"][0])
            if op["op"] == "ring_attention":
                for value in op["in"][3:5]:
                    shape = list(self.values[value]["shape"])
                    shape[1] = op["attrs"]["history"]
                    self.inputs["past." + self.values[value]["state"]] = ("f32", tuple(shape))

    def _input(self, name: str, value: int) -> None:
        self._source[value] = name
        self.inputs[name] = (self.values[value]["dtype"], tuple(self.values[value]["shape"]))

    def _load_constants(self) -> None:
        """One parameter a tensor, in the layout that its op wants; one mask a ring attention."""
        for op in self.ops:
            if op["op"] == "ring_attention":
                q, bias = op["in"][0], op["in"][7]
                _, window, _, heads, _ = self.values[q]["shape"]
                table = None if bias < 0 else self._array(bias)
                mask = window_mask(table, window, op["attrs"]["history"], heads)
                self.register_buffer(f"mask{op['out'][0]}", mask)
                continue
            for index, value in enumerate(op["in"]):
                if value < 0 or "tensor" not in self.values[value] or hasattr(self, f"t{value}"):
                    continue
                array = self._array(value)
                if op["op"] == "conv2d" and index == 1:
                    array = array.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
                if array.is_floating_point():
                    self.register_parameter(f"t{value}", nn.Parameter(array, requires_grad=False))
                else:
                    self.register_buffer(f"t{value}", array)

    def _array(self, value: int) -> Tensor:
        return torch.from_numpy(self.package.native.tensor(self.values[value]["tensor"]))

    def example(self, arrays: dict[str, NDArray[Any]]) -> tuple[Tensor, ...]:
        """`arrays` by name as the arguments of `forward`: floats in the module's dtype."""
        tensors = (torch.from_numpy(np.ascontiguousarray(arrays[name])) for name in self.inputs)
        return tuple(x.to(self.dtype) if x.is_floating_point() else x for x in tensors)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        given = dict(zip(self.inputs, inputs, strict=True))
        values: dict[int, Tensor] = {value: given[name] for value, name in self._source.items()}
        pasts = {name.removeprefix("past."): x for name, x in given.items() if name.startswith("past.")}

        def value(index: int) -> Tensor | None:
            if index < 0:
                return None
            if index not in values:
                values[index] = getattr(self, f"t{index}")
            return values[index]

        for op in self.ops:
            name, attrs, out = op["op"], op["attrs"], op["out"][0]
            if name == "randn":
                continue
            if name == "ring_attention":
                states = [self.values[index]["state"] for index in op["in"][3:5]]
                q, k, v = (value(index) for index in op["in"][:3])
                past = [pasts[state] for state in states]
                mask = getattr(self, f"mask{out}")
                values[out] = ring_attention(q, k, v, *past, mask, attrs["scope"], attrs["scale"])  # type: ignore[arg-type]
                for state, new in zip(states, (k, v), strict=True):  # what a later op of the program sees
                    if count := attrs["commit"]:
                        pasts[state] = torch.cat([pasts[state][:, count:], new[:, :count]], 1)  # type: ignore[index]
            elif name == "pointwise":
                operands = [value(index) for index in op["in"]]
                result = pointwise(operands, attrs["expr"], self.dtype, self.values[out]["dtype"])  # type: ignore[arg-type]
                values[out] = result.expand(self.values[out]["shape"])
            else:
                values[out] = OPS[name]([value(index) for index in op["in"]], attrs)
        commits = {id_: count for ring, count in self.commits for id_ in ring["in"][1:3]}
        results = []
        for label, index in zip(self.outputs, self._wanted, strict=True):
            result = value(index)
            assert result is not None
            results.append(result[:, : commits[index]] if label.startswith("commit.") else result)
        return tuple(result.contiguous() for result in results)


def _operands(op: dict[str, Any]) -> list[int]:
    """Values that the PyTorch form of an op reads: of ring attention, neither rings nor counters nor the bias."""
    operands = op["in"][:3] if op["op"] == "ring_attention" else op["in"]
    return [value for value in operands if value >= 0]
