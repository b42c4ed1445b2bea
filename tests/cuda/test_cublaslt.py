"""Products by cuBLASLt, with a strict stand-in for the library in the simulator; and the declarations that are ours
against the real header, where it is installed."""

import ctypes
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import yanrt
from tests.cuda.toolchain import ROOT
from tests.kernels.cases import CASES
from tests.support.op_case import Case, expected, expected_of_e4m3_rows
from tests.support.package_builder import ProgramBuilder, bare_manifest, pack
from tests.support.run_op import package
from yanrt import _C
from yanrt.cuda import find_cublaslt
from yanrt.errors import ArgumentError, UnsupportedError

sim = pytest.importorskip("yanrt._cuda_sim", reason="built without YANRT_CUDA=SIM")

Array = NDArray[Any]
FAKE = str(Path(yanrt.__file__).parent / "libyanrt_fake_cublaslt.so")
NO_ALGORITHM = 48  # columns for which the stand-in has none


@pytest.fixture(autouse=True)
def checked() -> Iterator[None]:
    sim.configure(order="random", seed=2, arch=90)
    sim.take_reports()
    yield
    assert sim.take_reports() == []


def engine_of(data: Any, precision: str, library: str = FAKE, device: str = "cuda-sim") -> _C.Engine:
    return _C.Engine(data, device, precision, 1, "auto", cublaslt=library)


def run(engine: _C.Engine, case: Case) -> Array:
    operands = [case.operand(i) for i in range(len(case.operands)) if case.role(i) != "weight"]
    (y,) = engine.runner().run("run", [np.asarray(o.array, order="C") for o in operands if o is not None])
    return np.asarray(y)


@pytest.mark.parametrize("precision", ["bf16", "fp8"])
@pytest.mark.parametrize("case", CASES["linear"], ids=str)
def test_linear_through_the_library(
    case: Case, precision: str, check_close: Callable[[Array, Array, str], None]
) -> None:
    engine = engine_of(package(case, False), precision)
    columns = case.shape[-1]
    (kernel,) = (op["kernel"] for op in engine.ops("run") if op["op"] == "linear")
    assert ("cublaslt" in kernel) == (columns % 16 == 0 and columns != NO_ALGORITHM)
    reference = expected_of_e4m3_rows(case, False) if precision == "fp8" else expected(case, "bf16", False)[0]
    check_close(run(engine, case), reference, precision)


def two_layers(columns: int) -> Any:
    rng = np.random.default_rng(1)
    weights = {
        "up": rng.standard_normal((columns, 24), np.float32),
        "down": rng.standard_normal((32, columns), np.float32),
    }
    p = ProgramBuilder()
    value = p.input("x", "f32", (5, 24))
    for name, weight in weights.items():
        operands = [value, p.value("f32", weight.shape, tensor=name), -1, -1, -1]
        value = p.op("linear", operands, "f32", (5, len(weight)), act="silu", gate_rows=1)
    p.output("y", value)
    manifest = bare_manifest({"run": p.build()})
    manifest["tensors"] = {"down": {"input_peak": 40.0}}
    return _C.Package.from_bytes(pack(manifest, weights), "layers")


@pytest.mark.parametrize("columns", [64, NO_ALGORITHM])
def test_a_calibrated_peak_is_met_behind_the_library_too(columns: int) -> None:
    data, x = two_layers(columns), np.random.default_rng(2).standard_normal((5, 24), np.float32)
    engines = [engine_of(data, "fp8", library) for library in (FAKE, "")]
    kernels = [[op["kernel"] for op in engine.ops("run")] for engine in engines]
    assert all(names[0].endswith(".to_e4m3") for names in kernels)
    assert ("cublaslt" in kernels[0][0]) == (columns != NO_ALGORITHM)
    assert not any("cublaslt" in name for name in kernels[1])
    theirs, ours = (engine.runner().run("run", [x])[0] for engine in engines)
    np.testing.assert_allclose(theirs, ours, atol=1e-5 * float(np.abs(ours).max()))


def test_everything_taken_from_the_library_is_given_back() -> None:
    live = ctypes.CDLL(FAKE).fake_cublaslt_live
    before = live()
    engine = engine_of(two_layers(64), "fp8")
    assert live() == before + 9  # a handle; descriptor and three layouts a product
    del engine
    assert live() == before


def test_no_library_is_an_error_with_a_remedy() -> None:
    for library, why in (("/nowhere/libcublasLt.so.13", "cannot be loaded"), ("libm.so.6", "lacks cublasLtCreate")):
        with pytest.raises(UnsupportedError, match=rf"{why}.*pip install yanrt\[cublas\]"):
            engine_of(two_layers(64), "bf16", library)
    with pytest.raises(ArgumentError, match="goes with a GPU"):
        engine_of(two_layers(64), "bf16", device="cpu")
    with pytest.raises(ArgumentError, match="valid are own, cublaslt, cublaslt:PATH"):
        yanrt.Engine("doom", gemm="theirs")


def test_the_library_is_looked_for_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = tmp_path / "nvidia/cu13/lib/libcublasLt.so.13"
    library.parent.mkdir(parents=True)
    library.touch()
    for name in [name for name in sys.modules if name.partition(".")[0] == "nvidia"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert find_cublaslt() == str(library)
    library.unlink()
    assert find_cublaslt() == "libcublasLt.so.13"


def test_declarations_are_those_of_the_header() -> None:
    headers = [Path(find_cublaslt()).parent.parent / "include" / name for name in ("cublasLt.h", "cublas_api.h")]
    if not all(header.exists() for header in headers):
        pytest.skip("needs the headers of nvidia-cublas (pip install yanrt[cublas])")
    text = "\n".join(header.read_text() for header in headers)
    ours = (ROOT / "csrc/backends/cuda/cublaslt_api.h").read_text()
    constants = dict(re.findall(r"inline constexpr int (\w+) = (\d+);", ours))
    assert len(constants) == 5
    for name, value in constants.items():
        assert re.search(rf"\b{name}\s*=\s*{value}\b", text), name
    for name in re.findall(r"\(\*(\w+)\)\(", ours):
        assert re.search(rf"\b{name}\(", text), name
