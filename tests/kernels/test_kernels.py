"""Every kernel against its reference, over all cases, precisions and instruction sets of this machine."""

from collections.abc import Callable
from typing import Any

import pytest
from numpy.typing import NDArray

from tests.kernels.cases import CASES
from tests.support.op_case import Case, expected
from tests.support.run_op import run_op, runnable_isas

Array = NDArray[Any]

ALL = [case for cases in CASES.values() for case in cases]
# In "stored", operands and output that may be bf16 are; else the op meets f32 on both sides.
MODES = {"fp32": ("fp32", False), "bf16": ("bf16", False), "bf16-stored": ("bf16", True)}


@pytest.mark.parametrize("isa", runnable_isas())
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", ALL, ids=str)
def test_matches_reference(case: Case, mode: str, isa: str, check_close: Callable[[Array, Array, str], None]) -> None:
    precision, stored = MODES[mode]
    outputs = run_op(case, precision, stored, isa, threads=1)
    for actual, reference in zip(outputs, expected(case, precision, stored), strict=True):
        check_close(actual, reference, precision)


@pytest.mark.parametrize("mode", ["fp32", "bf16-stored"])
@pytest.mark.parametrize("case", ALL, ids=str)
def test_threads_change_no_bit(case: Case, mode: str) -> None:
    precision, stored = MODES[mode]
    alone, *shared = (run_op(case, precision, stored, runnable_isas()[-1], threads) for threads in (1, 2, 3))
    for outputs in shared:
        assert [y.tobytes() for y in outputs] == [y.tobytes() for y in alone]
