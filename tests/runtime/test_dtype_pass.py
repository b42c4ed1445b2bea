"""Narrowing a value to what all its readers would make of it changes no bit of any result."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.package_builder import ProgramBuilder, bare_manifest, pack
from tests.support.run_op import runnable_isas
from yanrt import _C

Array = NDArray[Any]
WIDTH = 37  # no multiple of anything


def normed_products(also_read: bool, precision: str, isa: str) -> tuple[list[str], list[Array]]:
    """x -> layer_norm -> reshape -> two linears. `also_read`: the norm is an output too, which keeps it in f32."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((3, 4, WIDTH), np.float32)
    weights = {f"w{i}": rng.standard_normal((20, WIDTH), np.float32) for i in range(2)}
    p = ProgramBuilder()
    norm = p.op("layer_norm", [p.input("x", "f32", x.shape), -1, -1], "f32", x.shape, eps=1e-6, group_rows=1)
    rows = p.op("reshape", [norm], "f32", (12, WIDTH), shape=[12, WIDTH])
    for name, weight in weights.items():
        operands = [rows, p.value("f32", weight.shape, tensor=name), -1, -1, -1]
        p.output(f"y of {name}", p.op("linear", operands, "f32", (12, 20), act="none", gate_rows=1))
    if also_read:
        p.output("norm", norm)
    package = _C.Package.from_bytes(pack(bare_manifest({"run": p.build()}), weights, checksum=_C.crc32c), "norm")
    engine = _C.Engine(package, "cpu", precision, 2, isa)
    return [op["kernel"] for op in engine.ops("run")], engine.runner().run("run", [x])[:2]


@pytest.mark.parametrize("isa", runnable_isas())
@pytest.mark.parametrize(("precision", "kernel"), [("int8", "layer_norm.to_int8"), ("bf16", "layer_norm.to_bf16")])
def test_a_norm_writes_what_its_readers_read(precision: str, kernel: str, isa: str) -> None:
    kernels, narrow = normed_products(False, precision, isa)
    wide_kernels, wide = normed_products(True, precision, isa)
    assert kernels[0] == kernel
    assert wide_kernels[0] == "layer_norm"
    for a, b in zip(narrow, wide, strict=True):
        np.testing.assert_array_equal(a, b)
