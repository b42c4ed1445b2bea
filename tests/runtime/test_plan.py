"""Where a plan puts what a program gives out."""

import numpy as np

from tests.support.package_builder import ProgramBuilder, bare_manifest, pack
from yanrt import _C


def engine_of(p: ProgramBuilder) -> _C.Engine:
    return _C.Engine(_C.Package.from_bytes(pack(bare_manifest({"run": p.build()})), "plan"), "cpu", "fp32", 1)


def test_a_kernel_writes_a_reshaped_output_where_it_is_wanted() -> None:
    p = ProgramBuilder()
    x = p.input("x", "f32", (2, 3, 4))
    turned = p.op("permute", [x], "f32", (2, 4, 3), dims=[0, 2, 1])
    y = p.op("pointwise", [turned], "u8", (2, 4, 3), expr=["mul i0 2.0"])
    for shape in ((8, 3), (1, 8, 3)):
        y = p.op("reshape", [y], "u8", shape, shape=list(shape))
    p.output("y", y)
    engine = engine_of(p)
    assert [op["op"] for op in engine.ops("run")] == ["pointwise"]
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    (found,) = engine.runner().run("run", [values])
    np.testing.assert_array_equal(found, (2 * values.transpose(0, 2, 1)).reshape(1, 8, 3))


def test_a_value_that_is_wanted_twice_is_copied_once() -> None:
    p = ProgramBuilder()
    y = p.op("pointwise", [p.input("x", "f32", (2, 3))], "f32", (2, 3), expr=["add i0 1.0"])
    p.output("flat", p.op("reshape", [y], "f32", (6,), shape=[6]))
    p.output("y", y)
    engine = engine_of(p)
    assert [op["op"] for op in engine.ops("run")] == ["pointwise", "copy"]
    flat, whole = engine.runner().run("run", [np.ones((2, 3), np.float32)])
    np.testing.assert_array_equal(flat, np.full(6, 2, np.float32))
    np.testing.assert_array_equal(whole, np.full((2, 3), 2, np.float32))
