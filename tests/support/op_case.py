"""One case of one op: operands, attributes, and what must come out. Each list of cases (tests/kernels/cases) serves
every precision, instruction set and number of threads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.reference.bfloat16 import to_bf16
from tests.reference.e4m3 import quantise_rows, round_to_e4m3
from tests.reference.ops import REFERENCE
from tests.reference.quantised import INT8, e4m3_channels, int8_channels, int8_rows
from yanrt import _C

Array = NDArray[Any]

OPS: dict[str, dict[str, Any]] = {op["name"]: op for op in _C.op_table()}
RING_OPERANDS = range(1, 5)  # of ring_attention: k, v and their rings
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


@cache
def expected(case: Case, precision: str, stored: bool, kv: str = "auto") -> list[Array]:
    """The reference's outputs, its operands rounded as `precision` rounds them, its output as it is `stored`. With `kv`
    fp8, rings hold E4M3, and what may enter one is rounded to it."""
    operands: list[Array | None] = []
    quantises = precision in ("int8", "fp8") and is_gemm(case)
    for i in range(len(case.operands)):
        operand = case.operand(i)
        if operand is None:
            operands.append(None)
            continue
        x = operand.seen()
        if kv == "fp8" and case.op == "ring_attention" and i in RING_OPERANDS:
            operands.append(round_to_e4m3(to_bf16(x) if stored and case.role(i) != "ring" else x))
            continue
        if quantises and case.role(i) == "weight":
            x = int8_channels(x) if precision == "int8" else e4m3_channels(x)
        elif precision != "fp32" and case.role(i) != "exact":
            x = to_bf16(x)
        operands.append(x.astype(np.float64) if x.dtype == np.float32 else x)
    reference = INT8[case.op] if quantises and precision == "int8" else REFERENCE[case.op]
    results = reference(operands, case.attrs, case.shape, case.dtype)
    outputs = [np.asarray(y) for y in (results if isinstance(results, tuple) else (results,))]
    if stored and precision != "fp32" and narrows(case):
        y = to_bf16(outputs[0].astype(np.float32))
        outputs[0] = int8_rows(y) if precision == "int8" else y.astype(np.float64)
    return outputs


def expected_of_e4m3_rows(case: Case, stored: bool) -> Array:
    """What a linear op gives on CUDA in precision fp8: its rows meet E4M3 weights as E4M3, each with a scale."""
    x, weight, *rest = (None if (o := case.operand(i)) is None else o.seen() for i in range(len(case.operands)))
    assert x is not None
    assert weight is not None
    x = (to_bf16(x) if stored else x).astype(np.float64)
    operands = [quantise_rows(x), quantise_rows(weight.astype(np.float64)), *rest]
    y = np.asarray(REFERENCE["linear"](operands, case.attrs, case.shape, case.dtype))
    return to_bf16(y.astype(np.float32)).astype(np.float64) if stored and narrows(case) else y


def is_gemm(case: Case) -> bool:
    """Does a precision that quantises weights touch the op? Not where a channel has a kernel of its own."""
    if case.op == "conv2d":
        weight, groups = case.operands[1], case.attrs["groups"]
        assert isinstance(weight, np.ndarray)
        return not (groups > 1 and weight.shape[-1] == 1 and len(weight) == groups)
    return any(operand["role"] == "weight" for operand in OPS[case.op]["inputs"])


@cache
def narrows(case: Case) -> bool:
    """Can the output be bf16, read by a linear op? That op would spread infinities and NaNs over the row."""
    if OPS[case.op]["outputs"][0]["role"] == "exact" or case.dtype != "f32":
        return False
    return bool(np.isfinite(expected(case, "fp32", False)[0]).all())
