"""A row of a GEMM has the same bits whatever rows are computed with it, and whatever tile it falls in."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.package_builder import ProgramBuilder, bare_manifest, pack
from tests.support.run_op import runnable_isas
from yanrt import _C
from yanrt.engine import PRECISIONS

N = 70


def rows_of(x: NDArray[Any], weight: NDArray[Any], precision: str, isa: str, threads: int) -> NDArray[Any]:
    p = ProgramBuilder()
    operands = [p.input("x", "f32", x.shape), p.value("f32", weight.shape, tensor="w"), -1, -1, -1]
    p.output("y", p.op("linear", operands, "f32", (len(x), N), act="gelu", gate_rows=1))
    package = _C.Package.from_bytes(pack(bare_manifest({"run": p.build()}), {"w": weight}, checksum=_C.crc32c), "rows")
    return np.asarray(_C.Engine(package, "cpu", precision, threads, isa).runner().run("run", [x])[0])


@pytest.mark.parametrize("isa", runnable_isas())
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("k", [1100, 3000])  # so many that a block of many rows may be of a part of them
def test_a_row_does_not_depend_on_its_neighbours(k: int, precision: str, isa: str) -> None:
    rng = np.random.default_rng(3)
    x, weight = rng.standard_normal((101, k), np.float32), rng.standard_normal((N, k), np.float32)
    together = rows_of(x, weight, precision, isa, threads=2)
    for first, count in [(0, 1), (5, 1), (100, 1), (3, 7), (40, 61)]:
        part = rows_of(x[first : first + count], weight, precision, isa, threads=1)
        np.testing.assert_array_equal(part, together[first : first + count])
