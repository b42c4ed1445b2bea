"""Activations with a calibrated peak (`input_peak` of a weight): int8 rows that all have one scale."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.reference.ops import convolve, linear, receptive_fields
from tests.reference.quantised import int8_channels, int8_rows_to_peak
from tests.support.package_builder import ProgramBuilder, bare_manifest, pack
from tests.support.run_op import runnable_isas
from yanrt import _C

Array = NDArray[Any]
PEAK = 1.7  # of values of unit variance: some are cut
Close = Callable[[Array, Array, str], None]

CONVOLUTIONS = {
    "3x3": ((2, 5, 6, 7), (9, 3, 3, 7), {"stride": [1, 1], "padding": [1, 1, 1, 1], "dilation": [1, 1], "groups": 1}),
    "strided": (
        (1, 9, 8, 5),
        (4, 3, 2, 5),
        {"stride": [2, 2], "padding": [1, 0, 1, 1], "dilation": [1, 1], "groups": 1},
    ),
    "dilated": (
        (1, 7, 8, 4),
        (4, 3, 3, 4),
        {"stride": [1, 1], "padding": [2, 2, 2, 2], "dilation": [2, 2], "groups": 1},
    ),
    "groups": (
        (1, 5, 6, 8),
        (6, 3, 3, 4),
        {"stride": [1, 1], "padding": [1, 1, 1, 1], "dilation": [1, 1], "groups": 2},
    ),
    "pointwise": ((1, 5, 6, 8), (6, 1, 1, 8), {"stride": [1, 1], "padding": [0] * 4, "dilation": [1, 1], "groups": 1}),
}


def run(
    program: ProgramBuilder, weights: dict[str, Array], peaks: dict[str, float], x: Array, isa: str, threads: int = 1
) -> tuple[list[str], list[Array]]:
    """Names of the kernels, and the outputs, in int8."""
    manifest = bare_manifest({"run": program.build()})
    manifest["tensors"] = {name: {"input_peak": peak} for name, peak in peaks.items()}
    package = _C.Package.from_bytes(pack(manifest, weights, checksum=_C.crc32c), "static")
    engine = _C.Engine(package, "cpu", "int8", threads, isa)
    return [op["kernel"] for op in engine.ops("run")], engine.runner().run("run", [x])


def products(p: ProgramBuilder, x: int, shape: tuple[int, ...], weights: dict[str, Array]) -> None:
    for name, weight in weights.items():
        operands = [x, p.value("f32", weight.shape, tensor=name), -1, -1, -1]
        y = p.op("linear", operands, "f32", (*shape[:-1], len(weight)), act="none", gate_rows=1)
        p.output(f"y of {name}", y)


@pytest.mark.parametrize("isa", runnable_isas())
def test_linear(isa: str, check_close: Close) -> None:
    rng = np.random.default_rng(1)
    x, weight = rng.standard_normal((13, 37), np.float32), rng.standard_normal((70, 37), np.float32)
    p = ProgramBuilder()
    products(p, p.input("x", "f32", x.shape), x.shape, {"w": weight})
    (kernel,), (y, *_) = run(p, {"w": weight}, {"w": PEAK}, x, isa)
    assert kernel == f"linear.int8.{isa}.static"
    seen = int8_rows_to_peak(x, PEAK)
    assert np.abs(seen).max() == pytest.approx(PEAK)  # and some of x were cut
    expected = linear([seen, int8_channels(weight), None, None, None], {"act": "none", "gate_rows": 1}, y.shape, "f32")
    check_close(y, expected, "int8")
    np.testing.assert_array_equal(run(p, {"w": weight}, {"w": PEAK}, x, isa, threads=2)[1][0], y)


@pytest.mark.parametrize("isa", runnable_isas())
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_conv2d(name: str, isa: str, check_close: Close) -> None:
    x_shape, weight_shape, attrs = CONVOLUTIONS[name]
    attrs = {**attrs, "act": "none"}
    rng = np.random.default_rng(2)
    x, weight = rng.standard_normal(x_shape, np.float32), rng.standard_normal(weight_shape, np.float32)
    reach = [attrs["dilation"][i] * (weight_shape[1 + i] - 1) + 1 for i in range(2)]
    extents = [
        (x_shape[1 + i] + attrs["padding"][i] + attrs["padding"][2 + i] - reach[i]) // attrs["stride"][i] + 1
        for i in range(2)
    ]
    shape = (x_shape[0], *extents, weight_shape[0])
    p = ProgramBuilder()
    operands = [p.input("x", "f32", x_shape), p.value("f32", weight_shape, tensor="w"), -1, -1]
    p.output("y", p.op("conv2d", operands, "f32", shape, **attrs))
    (kernel,), (y, *_) = run(p, {"w": weight}, {"w": PEAK}, x, isa)
    assert kernel == f"conv2d.int8.{isa}.static"
    fields = int8_rows_to_peak(receptive_fields(x, weight_shape[1:3], attrs, shape), PEAK)
    check_close(y, convolve(fields, int8_channels(weight), None, None, attrs, shape), "int8")
    np.testing.assert_array_equal(run(p, {"w": weight}, {"w": PEAK}, x, isa, threads=2)[1][0], y)


@pytest.mark.parametrize("isa", runnable_isas())
def test_infinity_is_cut_and_nan_stays(isa: str) -> None:
    x = np.ones((3, 37), np.float32)
    x[0, 5], x[1, 7] = np.inf, np.nan
    weight = np.ones((4, 37), np.float32)
    p = ProgramBuilder()
    products(p, p.input("x", "f32", x.shape), x.shape, {"w": weight})
    _, (y, *_) = run(p, {"w": weight}, {"w": 2.0}, x, isa)
    np.testing.assert_allclose(y[0], 36 + 2, rtol=1e-2)
    assert np.isnan(y[1]).all()
    np.testing.assert_allclose(y[2], 37, rtol=1e-2)


@pytest.mark.parametrize("isa", runnable_isas())
@pytest.mark.parametrize("peaks", [(PEAK, PEAK), (PEAK, 2.5), (PEAK, None)], ids=["one", "two", "one-and-none"])
def test_a_norm_quantises_for_readers_that_agree(peaks: tuple[float, float | None], isa: str) -> None:
    """Whoever quantises, the readers compute with the same values."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((5, 4, 37), np.float32)
    weights = {f"w{i}": rng.standard_normal((20, 37), np.float32) for i in range(2)}
    given = {name: peak for name, peak in zip(weights, peaks, strict=True) if peak is not None}
    results = []
    for also_read in (False, True):  # an output keeps the norm in f32, and its readers quantise it
        p = ProgramBuilder()
        norm = p.op("layer_norm", [p.input("x", "f32", x.shape), -1, -1], "f32", x.shape, eps=1e-6, group_rows=1)
        products(p, norm, x.shape, weights)
        if also_read:
            p.output("norm", norm)
        results.append(run(p, weights, given, x, isa))
    (kernels, narrow), (wide_kernels, wide) = results
    assert kernels[0] == ("layer_norm.to_int8.static" if peaks[0] == peaks[1] else "layer_norm.to_bf16")
    assert wide_kernels[0] == "layer_norm"
    for a, b in zip(narrow, wide, strict=False):
        np.testing.assert_array_equal(a, b)
