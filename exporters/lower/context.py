"""What handlers of ops work with: the program under construction, and its constants."""

import hashlib
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..ir import Module, Op, Program, Value
from ..ir import Tensor as StoredTensor
from ..ir.graph import make_op
from ..ir.program import Attr
from .registry import UnsupportedError

DTYPES = {
    torch.float32: "f32",
    torch.float64: "f32",
    torch.bfloat16: "f32",
    torch.float16: "f32",
    torch.int64: "i64",
    torch.int32: "i32",
    torch.uint8: "u8",
    torch.bool: "bool",
}
_STORED = {"f32": torch.float32, "i64": torch.int64, "i32": torch.int32, "u8": torch.uint8, "bool": torch.bool}


def dtype_name(dtype: torch.dtype) -> str:
    if dtype not in DTYPES:
        raise UnsupportedError(f"dtype {dtype} has no counterpart in a package")
    return DTYPES[dtype]


class Constants:
    """Tensors of the package. A parameter keeps its name; a folded table is named after the module that computed it,
    and equal tables are stored once."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._name_of: dict[bytes, str] = {}

    def add(self, tensor: Tensor, name: str, *, folded: bool = False) -> Value:
        dtype = dtype_name(tensor.dtype)
        data = tensor.detach().to("cpu", _STORED[dtype]).contiguous().numpy()
        label = f"{dtype}{data.shape}" if folded else f"{dtype}{data.shape}{name}"
        digest = hashlib.sha256(label.encode() + data.tobytes()).digest()
        if digest not in self._name_of:
            free, count = name, 1
            while free in self.module.tensors:
                count += 1
                free = f"{name}.{count}"
            self._name_of[digest] = free
            self.module.tensors[free] = StoredTensor(data.copy())
        return Value(dtype, tuple(data.shape), "tensor", self._name_of[digest])


class Context:
    """Builds one program. `source` is the module path of the node at hand; `meta` its fake result."""

    def __init__(self, program: Program, constants: Constants) -> None:
        self.program = program
        self.constants = constants
        self.names: dict[int, str] = {}  # id of a parameter or buffer -> its name in the package
        self.source = ""
        self.meta: Any = None
        self._values: dict[tuple[str, str], Value] = {}
        self._alive: list[Tensor] = []  # those in `names`: an id is that of a living object only

    def op(
        self,
        name: str,
        inputs: list[Any],
        attrs: dict[str, Attr] | None = None,
        *,
        shape: tuple[int, ...] | None = None,
        dtype: str = "f32",
    ) -> Value:
        """Appends an op; constants among `inputs` become tensors of the package."""
        values = [None if item is None else self.value(item) for item in inputs]
        op: Op = make_op(name, values, attrs, shape=shape, dtype=dtype, source=self.source)
        self.program.ops.append(op)
        return op.output

    def value(self, item: "Value | Tensor") -> Value:
        """The value itself, or the named tensor that holds a constant."""
        if isinstance(item, Value):
            return item
        name = self.names.get(id(item))
        value = self.constants.add(item, name or self._folded_name(), folded=name is None)
        return self._values.setdefault(("tensor", value.name), value)

    def relaid(self, item: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
        """A constant in another layout that keeps its name."""
        changed = change(item).contiguous()
        if id(item) in self.names:
            self.keep(changed, self.names[id(item)])
        return changed

    def keep(self, tensor: Tensor, name: str) -> None:
        self.names[id(tensor)] = name
        self._alive.append(tensor)

    def state(self, name: str, dtype: str, shape: tuple[int, ...]) -> Value:
        return self._values.setdefault(("state", name), Value(dtype, shape, "state", name))

    def _folded_name(self) -> str:
        return f"{self.source}.folded" if self.source else "folded"


def constant(item: Any, what: str) -> Tensor:
    """The item as a constant; UnsupportedError if it is computed at run time."""
    if not isinstance(item, Tensor):
        raise UnsupportedError(f"{what} must be a constant, and is computed at run time")
    return item


def shape_of(item: "Value | Tensor") -> tuple[int, ...]:
    return tuple(item.shape)
