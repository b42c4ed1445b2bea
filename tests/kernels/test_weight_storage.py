"""linear and conv2d with weights stored as bf16, and as E4M3 with a scale an output channel."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.reference.bfloat16 import to_bf16
from tests.reference.ops import REFERENCE
from tests.support.package_builder import ProgramBuilder, Stored, bare_manifest, bf16, pack
from tests.support.run_op import runnable_isas
from yanrt import _C

Array = NDArray[Any]

LINEAR = ("linear", (9, 37), (70, 37), (9, 70), {"act": "gelu", "gate_rows": 1}, 5)
CONV: dict[str, Any] = {"stride": [1, 1], "padding": [1, 1, 1, 1], "dilation": [1, 1], "act": "none"}
OPS = {
    "linear": LINEAR,
    "conv2d": ("conv2d", (1, 5, 6, 8), (12, 3, 3, 8), (1, 5, 6, 12), {**CONV, "groups": 1}, 4),
    "groups": ("conv2d", (1, 5, 6, 8), (12, 3, 3, 4), (1, 5, 6, 12), {**CONV, "groups": 2}, 4),
    "depthwise": ("conv2d", (1, 5, 6, 8), (8, 3, 3, 1), (1, 5, 6, 8), {**CONV, "groups": 8}, 4),
}


def e4m3_values() -> Array:
    """What each of the 256 codes means (OCP FP8 E4M3: bias 7, no infinity, NaN at the last code of either sign)."""
    codes = np.arange(256)
    exponent, mantissa = codes >> 3 & 15, codes & 7
    magnitude = np.where(exponent == 0, mantissa / 512, (1 + mantissa / 8) * 2.0 ** (exponent - 7))
    magnitude[[0x7F, 0xFF]] = np.nan
    return np.where(codes & 128, -magnitude, magnitude)


def run(op: str, x: Array, weight: dict[str, Any], precision: str, isa: str, threads: int = 1) -> Array:
    """The op with x and `weight` alone; `weight` holds the tensors of the package, "w" among them."""
    name, _, weight_shape, shape, attrs, arity = OPS[op]
    p = ProgramBuilder()
    operands = [p.input("x", "f32", x.shape), p.value("f32", weight_shape, tensor="w"), *[-1] * (arity - 2)]
    p.output("y", p.op(name, operands, "f32", shape, **attrs))
    manifest = bare_manifest({"run": p.build()})
    if "scale" in weight:
        manifest["tensors"] = {"w": {"scale": "scale"}}
    package = _C.Package.from_bytes(pack(manifest, weight, checksum=_C.crc32c), op)
    runner = _C.Engine(package, "cpu", precision, threads, isa).runner()
    return np.asarray(runner.run("run", [x])[0])


@pytest.mark.parametrize("isa", runnable_isas())
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("op", OPS)
def test_bf16_storage_changes_nothing(op: str, precision: str, isa: str) -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal(OPS[op][1], np.float32)
    weight = to_bf16(rng.standard_normal(OPS[op][2], np.float32))
    wide, narrow = (run(op, x, {"w": w}, precision, isa) for w in (weight, bf16(weight)))
    np.testing.assert_array_equal(wide, narrow)


@pytest.mark.parametrize("isa", runnable_isas())
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("op", OPS)
def test_e4m3_storage(op: str, precision: str, isa: str, check_close: Callable[[Array, Array, str], None]) -> None:
    name, x_shape, weight_shape, shape, attrs, arity = OPS[op]
    rng = np.random.default_rng(2)
    x = rng.standard_normal(x_shape, np.float32)
    codes = rng.integers(0, 256, weight_shape).astype(np.uint8)
    codes[codes & 0x7F == 0x7F] = 0
    scale = rng.uniform(1e-3, 3e-3, weight_shape[0]).astype(np.float32)
    tensors = {"w": Stored("F8_E4M3", codes), "scale": scale}
    actual = run(op, x, tensors, precision, isa)
    # The values of E4M3 are exact in bf16 and the scale is applied in f32: only x is rounded.
    weight = e4m3_values()[codes] * scale.astype(np.float64).reshape(-1, *[1] * (len(weight_shape) - 1))
    seen = (to_bf16(x) if precision == "bf16" else x).astype(np.float64)
    check_close(actual, REFERENCE[name]([seen, weight, *[None] * (arity - 2)], attrs, shape, "f32"), "fp32")
    np.testing.assert_array_equal(run(op, x, tensors, precision, isa, threads=2), actual)
