"""Every kernel of the CUDA backend against its reference, in the simulator: the case lists of tests/kernels, in random
order with every check on. A report of the simulator (a race, an access out of bounds, an uninitialised read) fails."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from numpy.typing import NDArray

from tests.kernels.cases import CASES
from tests.support.op_case import Case, expected
from tests.support.run_op import run_op

sim = pytest.importorskip("yanrt._cuda_sim", reason="built without YANRT_CUDA=SIM")

Array = NDArray[Any]
ALL = [case for cases in CASES.values() for case in cases]
MODES = {"fp32": ("fp32", False), "bf16": ("bf16", False), "bf16-stored": ("bf16", True)}


@pytest.fixture
def checked() -> Iterator[None]:
    sim.configure(order="random", seed=1)
    sim.take_reports()
    yield
    assert sim.take_reports() == []


@pytest.mark.usefixtures("checked")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", ALL, ids=str)
def test_matches_reference(case: Case, mode: str, check_close: Callable[[Array, Array, str], None]) -> None:
    precision, stored = MODES[mode]
    outputs = run_op(case, precision, stored, "auto", threads=1, device="cuda-sim")
    for actual, reference in zip(outputs, expected(case, precision, stored), strict=True):
        check_close(actual, reference, precision)
