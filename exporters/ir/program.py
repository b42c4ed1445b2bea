"""Plain dataclasses; the Python twin of csrc/program/program.h. Values are compared by identity."""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

NUMPY_DTYPES: dict[str, type[np.generic]] = {
    "f32": np.float32,
    "i64": np.int64,
    "i32": np.int32,
    "u8": np.uint8,
    "bool": np.bool_,
}
DTYPE_OF_NUMPY = {np.dtype(numpy): name for name, numpy in NUMPY_DTYPES.items()}

Shape = tuple[int, ...]
Attr = int | float | str | list[int] | list[str]


@dataclass(eq=False)
class Value:
    """A tensor of a program: its input, a named tensor of the file, a named state, or the output of one op."""

    dtype: str
    shape: Shape
    source: Literal["op", "input", "tensor", "state"] = "op"
    name: str = ""

    @property
    def numel(self) -> int:
        return math.prod(self.shape)


@dataclass(eq=False)
class Op:
    """One operation of csrc/core/ops.def. `None` among the inputs is an absent optional operand."""

    name: str
    inputs: list[Value | None]
    outputs: list[Value]
    attrs: dict[str, Attr] = field(default_factory=dict)
    source: str = ""  # where in the model it came from: a module's path

    @property
    def output(self) -> Value:
        return self.outputs[0]


@dataclass
class Program:
    """Ops in execution order. `updates` maps a state's name to the value that it takes after the call."""

    name: str
    inputs: dict[str, Value] = field(default_factory=dict)
    outputs: dict[str, Value] = field(default_factory=dict)
    updates: dict[str, Value] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)
    traced_ops: int = 0  # calls that torch.export left, before anything was folded or fused


@dataclass
class Tensor:
    """A tensor of the file. `data` has the dtype that values of it have; `store` is how the file keeps it."""

    data: NDArray[Any]
    store: str = ""  # "f32", "bf16", "f8e4m3"; empty: as `data`
    scales: NDArray[np.float32] | None = None  # of the output channels, for "f8e4m3"; None: from the data
    input_peak: float = 0.0  # of a weight: largest magnitude of what it multiplies; 0: the runtime looks at each row

    @property
    def dtype(self) -> str:
        return DTYPE_OF_NUMPY[self.data.dtype]


@dataclass
class State:
    """What a session remembers between calls. `compute` state is kept in the precision chosen at load."""

    dtype: str
    shape: Shape
    kind: Literal["exact", "compute"] = "exact"
    role: str = ""  # "seed": takes the session's seed at reset
    init: str = ""  # tensor to start from; empty: zeros


@dataclass
class Module:
    """Programs that share tensors and state."""

    programs: dict[str, Program] = field(default_factory=dict)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)

    def used_tensors(self) -> set[str]:
        """Names of the tensors that a program reads or a state starts from."""
        names = {state.init for state in self.states.values() if state.init}
        for program in self.programs.values():
            values = [*program.outputs.values(), *program.updates.values()]
            values += [value for op in program.ops for value in op.inputs if value is not None]
            names |= {value.name for value in values if value.source == "tensor"}
        return names
