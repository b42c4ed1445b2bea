"""Runs one op through the whole runtime: package, verifier, plan, kernel."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support.op_case import DTYPES, Case, narrows
from tests.support.package_builder import ProgramBuilder, bare_manifest, pack
from yanrt import _C

Array = NDArray[Any]


@cache
def package(case: Case, stored: bool) -> Any:
    """A package with the one program "run". `stored`: what may be kept in the chosen precision is, on both sides of the
    op: a pointwise op makes the operands, a linear one with the identity reads the output."""
    p = ProgramBuilder()
    tensors: dict[str, Array] = {}
    states: dict[str, Any] = {}
    values: list[int] = []
    for i in range(len(case.operands)):
        operand = case.operand(i)
        if operand is None:
            values.append(-1)
            continue
        array, name = operand.array, f"x{i}"
        dtype = DTYPES[array.dtype.name]
        if case.role(i) == "weight":
            tensors[name] = array
            value = p.value(dtype, array.shape, tensor=name)
        elif case.role(i) == "ring":
            states[name] = {"dtype": dtype, "shape": list(array.shape), "kind": "compute"}
            value = p.value(dtype, array.shape, state=name)
        else:
            value = p.input(name, dtype, array.shape)
        if stored and case.role(i) in ("compute", "quantised"):
            value = p.op("pointwise", [value], dtype, array.shape, expr=["mul i0 1.0"])
        for view in operand.views:
            value = p.op(view.op, [value], dtype, view.shape, **view.attrs)
        values.append(value)
    y = p.op(case.op, values, case.dtype, case.shape, **case.attrs)
    if stored and narrows(case):
        tensors["identity"] = np.eye(case.shape[-1], dtype=np.float32)
        identity = p.value("f32", tensors["identity"].shape, tensor="identity")
        y = p.op("linear", [y, identity, -1, -1, -1], "f32", case.shape, act="none", gate_rows=1)
    p.output("y", y)
    data = pack(bare_manifest({"run": p.build()}, states), tensors, checksum=_C.crc32c)
    return _C.Package.from_bytes(data, str(case))


def run_op(
    case: Case,
    precision: str,
    stored: bool,
    isa: str,
    threads: int,
    device: str = "cpu",
    kv: str = "auto",
    cublaslt: str = "",
) -> list[Array]:
    """The op's output, then the contents of the states it mutates."""
    engine = _C.Engine(package(case, stored), device, precision, threads, isa, kv=kv, cublaslt=cublaslt)
    runner = engine.runner()
    inputs = []
    for i in range(len(case.operands)):
        operand = case.operand(i)
        if operand is None or case.role(i) == "weight":
            continue
        if case.role(i) == "ring":
            runner.set_state(f"x{i}", np.asarray(operand.array, order="C"))
        else:
            inputs.append(np.asarray(operand.array, order="C"))
    outputs = list(runner.run("run", inputs))
    return outputs + [runner.get_state(name) for name in sorted(runner.state_names())]


@cache
def runnable_isas() -> tuple[str, ...]:
    """The instruction sets that this processor has, and those that this build emulates on it."""
    return tuple(isa for isa, missing in _C.isas().items() if not missing)


def native_isas() -> tuple[str, ...]:
    return tuple(isa for isa in runnable_isas() if not isa.startswith("emulated_"))
