"""Views and element-wise work behind a GEMM, which its kernel does as it writes: the bits are those of the ops one by
one, and no op is left."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.package_builder import ProgramBuilder, bare_manifest, pack
from tests.support.run_op import native_isas, runnable_isas
from yanrt import _C

Array = NDArray[Any]
Shape = tuple[int, ...]
Gemm = tuple[str, list[Shape | None], Any]  # op, shapes of its operands, attributes
BYTES = ("u8", ["add i0 1.0", "mul %0 127.5", "round %1", "clamp %2 0.0 255.0"])
REAL = ("f32", ["mul i0 0.5", "silu %0"])
WHOLE = ("i64", ["mul i0 100.0", "int %0"])


def conv(x: Shape, out: int, groups: int = 1, residual: bool = False) -> Gemm:
    attrs = {"stride": [1, 1], "padding": [1, 1, 1, 1], "dilation": [1, 1], "groups": groups, "act": "relu"}
    shapes = [x, (out, 3, 3, x[-1] // groups), (out,), (*x[:3], out) if residual else None]
    return "conv2d", shapes, attrs


def linear(rows: int, n: int, k: int) -> Gemm:
    return "linear", [(rows, k), (n, k), (n,), (1, n), (rows, n)], {"act": "none", "gate_rows": 1}


@dataclass(frozen=True)
class Stored:
    """A GEMM, what its result is reshaped to, a chain, the order of the dimensions, and the final shape."""

    name: str
    gemm: Gemm
    shape: tuple[int, ...]
    chain: tuple[str, list[str]] | None = None
    order: Shape | None = None
    final: tuple[int, ...] = ()
    last: tuple[str, list[str]] | None = None  # a chain behind the permutation
    left: int = 1  # ops that remain

    def __str__(self) -> str:
        return self.name


CASES = [
    Stored("pixels", conv((1, 5, 7, 6), 96), (5, 7, 2, 3, 4, 4), BYTES, (2, 0, 4, 1, 5, 3), (1, 2, 20, 28, 3)),
    Stored("wide shuffle", conv((3, 9, 17, 32), 150), (3, 9, 17, 6, 5, 5), None, (0, 1, 4, 2, 5, 3), (3, 45, 85, 6)),
    Stored("groups", conv((1, 4, 5, 6), 24, 2), (4, 5, 6, 2, 2), BYTES, (0, 3, 1, 4, 2), (1, 8, 10, 6)),
    Stored("residual", conv((2, 4, 5, 6), 20, 1, True), (2, 4, 5, 5, 2, 2), REAL, (0, 3, 1, 4, 2, 5), (2, 5, 8, 10)),
    Stored("channels first", conv((2, 6, 5, 3), 70), (2, 6, 5, 70), None, (0, 3, 1, 2), (2, 70, 6, 5)),
    Stored("runs wider than a panel", linear(35, 160, 24), (5, 7, 2, 80), None, (0, 2, 1, 3), (10, 7, 80)),
    Stored("chain behind the permutation", linear(35, 18, 24), (5, 7, 3, 6), None, (0, 2, 1, 3), (), BYTES),
    Stored("chain alone", linear(13, 66, 20), (13, 66), BYTES),
    Stored("integers", linear(13, 33, 20), (13, 33), WHOLE, (1, 0)),
    Stored("an axis of several rows", linear(6, 8, 20), (3, 16), None, (1, 0)),
    Stored("an axis of parts of rows", linear(6, 8, 20), (4, 12), None, (1, 0), left=2),
    Stored("two chains", linear(7, 8, 20), (7, 8), REAL, (1, 0), (), BYTES, left=2),
    Stored("one row", linear(1, 90, 20), (9, 10), BYTES, (1, 0)),
]  # fmt: skip


def package(case: Stored, apart: bool) -> tuple[Any, list[Array]]:
    """`apart`: the result is an output too, so that another op must make what is stored."""
    rng = np.random.default_rng(6)
    op, shapes, attrs = case.gemm
    p = ProgramBuilder()
    tensors, inputs, values = {}, [], []
    for i, shape in enumerate(shapes):
        if shape is None:
            values.append(-1)
            continue
        array = rng.standard_normal(shape).astype(np.float32)
        if i == 1:
            tensors["w"] = array / np.float32(math.sqrt(array[0].size))
            values.append(p.value("f32", shape, tensor="w"))
        else:
            inputs.append(array)
            values.append(p.input(f"x{i}", "f32", shape))
    x, bias = shapes[0], shapes[2]
    assert x is not None
    assert bias is not None
    y = p.op(op, values, "f32", (*x[:-1], bias[0]), **attrs)
    if apart:
        p.output("result", y)
    dtype, shape = "f32", case.shape
    y = p.op("reshape", [y], dtype, shape, shape=list(shape))
    if case.chain:
        dtype, expr = case.chain
        y = p.op("pointwise", [y], dtype, shape, expr=expr)
    if case.order:
        shape = tuple(shape[i] for i in case.order)
        y = p.op("permute", [y], dtype, shape, dims=list(case.order))
    if case.last:
        dtype, expr = case.last
        y = p.op("pointwise", [y], dtype, shape, expr=expr)
    if case.final:
        y = p.op("reshape", [y], dtype, case.final, shape=list(case.final))
    p.output("y", y)
    data = pack(bare_manifest({"run": p.build()}), tensors, checksum=_C.crc32c)
    return _C.Package.from_bytes(data, str(case)), inputs


def run(case: Stored, precision: str, isa: str, threads: int, apart: bool) -> tuple[Array, int]:
    opened, inputs = package(case, apart)
    engine = _C.Engine(opened, "cpu", precision, threads, isa)
    return np.asarray(engine.runner().run("run", inputs)[-1]), len(engine.ops("run"))


@pytest.mark.parametrize("isa", runnable_isas())
@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_stores_what_the_ops_would(case: Stored, precision: str, isa: str) -> None:
    expected, _ = run(case, precision, isa, 1, apart=True)
    actual, left = run(case, precision, isa, 1, apart=False)
    assert left == case.left
    assert (actual.dtype, actual.shape, actual.tobytes()) == (expected.dtype, expected.shape, expected.tobytes())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_threads_change_no_bit(case: Stored) -> None:
    alone, *shared = (run(case, "bf16", native_isas()[-1], threads, apart=False)[0].tobytes() for threads in (1, 2, 3))
    assert set(shared) == {alone}


def test_permutes_as_numpy() -> None:
    """The two ways above share the code that describes the permutation."""
    case = CASES[0]
    opened, inputs = package(case, apart=True)
    result, y = (np.asarray(a) for a in _C.Engine(opened, "cpu", "fp32", 1, "auto").runner().run("run", inputs))
    fused, _ = run(case, "fp32", "auto", 1, apart=False)
    expected = np.clip(np.round((result.reshape(case.shape) + np.float32(1)) * np.float32(127.5)), 0, 255)
    assert case.order is not None
    np.testing.assert_array_equal(fused, expected.astype(np.uint8).transpose(case.order).reshape(case.final))
    np.testing.assert_array_equal(y, fused)
