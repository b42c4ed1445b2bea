"""Precision fp8: linear multiplies E4M3 rows, each with its scale, by E4M3 weights with a scale a channel. Against a
float64 reference that quantises alike, on the architectures with FP8 tensor cores and on those without."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.kernels.cases import CASES
from tests.reference.e4m3 import LARGEST, quantise_rows, round_to_e4m3
from tests.support.op_case import Case, expected_of_e4m3_rows, to_bf16
from tests.support.package_builder import ProgramBuilder, bare_manifest, pack
from tests.support.run_op import run_op
from yanrt import _C

sim = pytest.importorskip("yanrt._cuda_sim", reason="built without YANRT_CUDA=SIM")

Array = NDArray[Any]


@pytest.fixture(autouse=True)
def checked() -> Iterator[None]:
    sim.take_reports()
    yield
    assert sim.take_reports() == []


@pytest.mark.parametrize("arch", [80, 89])
@pytest.mark.parametrize("case", CASES["linear"], ids=str)
def test_linear_follows_a_reference_that_quantises_alike(
    case: Case, arch: int, check_close: Callable[[Array, Array, str], None]
) -> None:
    sim.configure(order="random", seed=3, arch=arch)
    (y,) = run_op(case, "fp8", False, "auto", threads=1, device="cuda-sim")
    check_close(y, expected_of_e4m3_rows(case, False), "bf16")


def quantised(x: Array, peak: float) -> Array:
    """Rows as E4M3 with the scale of a calibrated peak, or, if that is 0, each with its own."""
    return round_to_e4m3(x.astype(np.float64) * LARGEST / peak) * peak / LARGEST if peak else quantise_rows(x)


@pytest.mark.parametrize("arch", [80, 89])
@pytest.mark.parametrize("width", [64, 37])  # with a norm that can write E4M3 rows, and one that cannot
@pytest.mark.parametrize("peaks", [(0.0, 0.0), (1.5, 1.5), (1.5, 2.5)], ids=["none", "one", "two"])
def test_a_calibrated_peak_scales_all_rows(
    peaks: tuple[float, float], width: int, arch: int, check_close: Callable[[Array, Array, str], None]
) -> None:
    sim.configure(order="random", seed=3, arch=arch)
    rng = np.random.default_rng(4)
    x = rng.standard_normal((5, width), np.float32)
    weights = {f"w{i}": rng.standard_normal((20, width), np.float32) for i in range(2)}
    p = ProgramBuilder()
    norm = p.op("layer_norm", [p.input("x", "f32", x.shape), -1, -1], "f32", x.shape, eps=1e-6, group_rows=1)
    for name, weight in weights.items():
        operands = [norm, p.value("f32", weight.shape, tensor=name), -1, -1, -1]
        p.output(f"y of {name}", p.op("linear", operands, "f32", (5, 20), act="none", gate_rows=1))
    manifest = bare_manifest({"run": p.build()})
    manifest["tensors"] = {name: {"input_peak": peak} for name, peak in zip(weights, peaks, strict=True) if peak}
    engine = _C.Engine(_C.Package.from_bytes(pack(manifest, weights), "peaks"), "cuda-sim", "fp8", 1, "auto")
    kernels = [op["kernel"] for op in engine.ops("run")]
    ending = ".static" if peaks[0] else ""
    assert kernels[0] == f"layer_norm{f'.e4m3{ending}' if width == 64 and peaks[0] == peaks[1] else ''}"
    assert all(kernel.endswith(".static") == bool(peaks[0]) for kernel in kernels[1:])
    outputs = engine.runner().run("run", [x])
    normed = to_bf16(((x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6)).astype(np.float32))
    for y, weight, peak in zip(outputs, weights.values(), peaks, strict=True):
        seen = quantised(normed, peak)
        assert not peak or np.abs(seen).max() == pytest.approx(peak)
        check_close(y, seen @ quantise_rows(weight.astype(np.float64)).T, "bf16")


@pytest.mark.parametrize("arch", [80, 89])
@pytest.mark.parametrize("peak", [0.0, 0.7], ids=["dynamic", "static"])
def test_linear_quantises_for_the_next_one_if_it_knows_the_peak(
    peak: float, arch: int, check_close: Callable[[Array, Array, str], None]
) -> None:
    sim.configure(order="random", seed=3, arch=arch)
    rng = np.random.default_rng(5)
    x = rng.standard_normal((70, 32), np.float32)
    up, down = (rng.standard_normal(shape, np.float32) for shape in ((80, 32), (20, 80)))
    p = ProgramBuilder()
    hidden = p.op("linear", [p.input("x", "f32", x.shape), p.value("f32", up.shape, tensor="up"), -1, -1, -1],
                  "f32", (70, 80), act="silu", gate_rows=1)  # fmt: skip
    operands = [hidden, p.value("f32", down.shape, tensor="down"), -1, -1, -1]
    p.output("y", p.op("linear", operands, "f32", (70, 20), act="none", gate_rows=1))
    manifest = bare_manifest({"run": p.build()})
    manifest["tensors"] = {"down": {"input_peak": peak}} if peak else {}
    data = pack(manifest, {"up": up, "down": down})
    engine = _C.Engine(_C.Package.from_bytes(data, "chain"), "cuda-sim", "fp8", 1, "auto")
    assert engine.ops("run")[0]["kernel"].endswith(".to_e4m3") == bool(peak)
    (y,) = engine.runner().run("run", [x])
    sums = quantise_rows(x) @ quantise_rows(up).T
    hidden_values = to_bf16((sums / (1 + np.exp(-sums))).astype(np.float32))
    seen = quantised(hidden_values, peak)
    assert not peak or (np.abs(hidden_values).max() > peak and np.abs(seen).max() == pytest.approx(peak))
    check_close(y, seen @ quantise_rows(down).T, "fp8")


@pytest.mark.parametrize(("arch", "tile"), [(80, "64x64.widened"), (89, "128x128"), (90, "128x128.widened")])
def test_the_tile_that_converts_in_software_is_the_small_one(arch: int, tile: str) -> None:
    sim.configure(arch=arch)
    p = ProgramBuilder()
    operands = [p.input("x", "f32", (1024, 16)), p.value("f32", (1024, 16), tensor="w"), -1, -1, -1]
    p.output("y", p.op("linear", operands, "f32", (1024, 1024), act="none", gate_rows=1))
    data = pack(bare_manifest({"run": p.build()}), {"w": np.ones((1024, 16), np.float32)})
    engine = _C.Engine(_C.Package.from_bytes(data, "tiles"), "cuda-sim", "fp8", 1, "auto")
    assert [op["kernel"] for op in engine.ops("run")] == [f"linear.fp8.{tile}"]


def test_the_reference_rounds_as_the_format_says() -> None:
    values = np.array([0, 2**-9, 2**-10, 3 * 2**-10, 0.0625, 1.0625, 1.1875, 449, 1e9, -1.0625, 2**-6, 17, 19])
    expected = np.array([0, 2**-9, 0, 2**-8, 0.0625, 1.0, 1.25, 448, 448, -1.0, 2**-6, 16, 20])
    np.testing.assert_array_equal(round_to_e4m3(values), expected)
