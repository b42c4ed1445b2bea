"""K/V rings kept in E4M3, on the CPU and, in the simulator, on CUDA: against references whose keys and values are
rounded alike, and what it costs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import relative_errors
from tests.kernels.cases import CASES
from tests.support.op_case import Case, expected
from tests.support.run_op import package, run_op, runnable_isas
from yanrt import _C
from yanrt.errors import ArgumentError, UnsupportedError

Array = NDArray[Any]
RINGS = CASES["ring_attention"]
STORED = {"f32": False, "bf16": True}


@pytest.mark.parametrize("isa", runnable_isas())
@pytest.mark.parametrize("stored", STORED.values(), ids=STORED)
@pytest.mark.parametrize("case", RINGS, ids=str)
def test_cpu_matches_reference(
    case: Case, stored: bool, isa: str, check_close: Callable[[Array, Array, str], None]
) -> None:
    outputs = run_op(case, "bf16", stored, isa, threads=2, kv="fp8")
    for actual, reference in zip(outputs, expected(case, "bf16", stored, kv="fp8"), strict=True):
        check_close(actual, reference, "bf16")


@pytest.mark.parametrize("stored", STORED.values(), ids=STORED)
@pytest.mark.parametrize("case", RINGS, ids=str)
def test_cuda_matches_reference(case: Case, stored: bool, check_close: Callable[[Array, Array, str], None]) -> None:
    sim = pytest.importorskip("yanrt._cuda_sim", reason="built without YANRT_CUDA=SIM")
    sim.configure(order="random", seed=4)
    sim.take_reports()
    outputs = run_op(case, "bf16", stored, "auto", threads=1, device="cuda-sim", kv="fp8")
    for actual, reference in zip(outputs, expected(case, "bf16", stored, kv="fp8"), strict=True):
        check_close(actual, reference, "bf16")
    assert sim.take_reports() == []


def test_rings_take_half_the_memory_and_cost_some_precision() -> None:
    steady = next(case for case in RINGS if str(case).endswith("frame-wide"))
    states = [_C.Engine(package(steady, False), "cpu", "bf16", kv=kv).info["memory"]["state"] for kv in ("auto", "fp8")]
    assert states[1] == states[0] // 2
    (exact, *_), (coded, *_) = expected(steady, "bf16", False), run_op(steady, "bf16", False, "auto", 1, kv="fp8")
    assert 5e-3 < relative_errors(coded, exact)[0] < 5e-2  # docs/cpu.md quotes it


def test_what_is_not_a_number_stays_so() -> None:
    case = next(case for case in RINGS if str(case).endswith("frame-commit-all"))
    operands = [np.array(x) if isinstance(x, np.ndarray) else x for x in case.operands]
    operands[1][0, 0, 0, 0, :3] = np.nan, np.inf, -1e9
    ring = run_op(Case(case.op, "nan", operands, case.shape, case.attrs), "bf16", False, "auto", 1, kv="fp8")[1]
    np.testing.assert_array_equal(ring[0, 14 % 7, 0, 0, :3], [np.nan, 448, -448])


def test_it_is_refused_where_it_would_mean_nothing() -> None:
    with pytest.raises(ArgumentError, match="fp32"):
        _C.Engine(package(RINGS[0], False), "cpu", "fp32", kv="fp8")
    with pytest.raises(UnsupportedError, match=r"no K/V ring.*auto"):
        _C.Engine(package(CASES["linear"][0], False), "cpu", "bf16", kv="fp8")
    with pytest.raises(UnsupportedError, match="auto, fp8"):
        _C.Engine(package(RINGS[0], False), "cpu", "bf16", kv="int8")
