"""One case of one op: operands, attributes, and what must come out. Each list of cases (tests/kernels/cases) serves
every precision, instruction set and number of threads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.reference.ops import REFERENCE
from yanrt import _C

Array = NDArray[Any]

OPS: dict[str, dict[str, Any]] = {op["name"]: op for op in _C.op_table()}
DTYPES = {"float32": "f32", "int64": "i64", "int32": "i32", "uint8": "u8", "bool": "bool"}


@dataclass(frozen=True)
class View:
    """A view op between a dense operand and the op under test, to give it strides."""

    op: str
    shape: tuple[int, ...]
    attrs: Mapping[str, Any]

    def apply(self, x: Array) -> Array:
        return np.asarray(REFERENCE[self.op]([x], self.attrs, self.shape, DTYPES[x.dtype.name]))


@dataclass(frozen=True)
class Operand:
    array: Array
    views: tuple[View, ...] = ()

    def seen(self) -> Array:
        """As the op under test sees it."""
        x = self.array
        for view in self.views:
            x = view.apply(x)
        return x


@dataclass(frozen=True, eq=False)
class Case:
    """`operands` follow the op's inputs, None where absent; `shape` and `dtype` are the output's."""

    op: str
    name: str
    operands: Sequence[Operand | Array | None]
    shape: tuple[int, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict)
    dtype: str = "f32"

    def __str__(self) -> str:
        return f"{self.op}-{self.name}"

    def role(self, i: int) -> str:
        inputs = OPS[self.op]["inputs"]
        return str(inputs[min(i, len(inputs) - 1)]["role"])

    def operand(self, i: int) -> Operand | None:
        x = self.operands[i]
        return Operand(x) if isinstance(x, np.ndarray) else x


def permuted(array: Array, *dims: int) -> Operand:
    """`array` stored as it is, seen with its dimensions permuted."""
    shape = tuple(array.shape[d] for d in dims)
    return Operand(array, (View("permute", shape, {"dims": list(dims)}),))


def sliced(array: Array, dim: int, start: int, stop: int, step: int = 1) -> Operand:
    shape = list(array.shape)
    shape[dim] = len(range(start, stop, step))
    attrs = {"dim": dim, "start": start, "stop": stop, "step": step}
    return Operand(array, (View("slice", tuple(shape), attrs),))


def expanded(array: Array, *shape: int) -> Operand:
    return Operand(array, (View("expand", shape, {"shape": list(shape)}),))


def to_bf16(x: Array) -> Array:
    """f32 values rounded to bfloat16, ties to even; NaN and infinity stay."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)
    return np.where(np.isfinite(x), rounded, x)


@cache
def expected(case: Case, precision: str, stored: bool) -> list[Array]:
    """The reference's outputs, its operands rounded as `precision` rounds them, its output as it is `stored`."""
    operands: list[Array | None] = []
    for i in range(len(case.operands)):
        operand = case.operand(i)
        if operand is None:
            operands.append(None)
            continue
        x = operand.seen()
        if precision == "bf16" and case.role(i) != "exact":
            x = to_bf16(x)
        operands.append(x.astype(np.float64) if x.dtype == np.float32 else x)
    results = REFERENCE[case.op](operands, case.attrs, case.shape, case.dtype)
    outputs = [np.asarray(y) for y in (results if isinstance(results, tuple) else (results,))]
    if stored and precision == "bf16" and narrows(case):
        outputs[0] = to_bf16(outputs[0].astype(np.float32)).astype(np.float64)
    return outputs


@cache
def narrows(case: Case) -> bool:
    """Can the output be bf16, read by a linear op? That op would spread infinities and NaNs over the row."""
    if OPS[case.op]["outputs"][0]["role"] != "compute" or case.dtype != "f32":
        return False
    return bool(np.isfinite(expected(case, "fp32", False)[0]).all())
