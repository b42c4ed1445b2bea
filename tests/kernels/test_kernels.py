"""Every kernel against its reference, over all cases, precisions and instruction sets of this machine."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from numpy.typing import NDArray

from tests.kernels.cases import CASES
from tests.support.op_case import OPS, Case, expected, is_gemm
from tests.support.run_op import native_isas, run_op, runnable_isas

Array = NDArray[Any]

ALL = [case for cases in CASES.values() for case in cases]
# In "stored", operands and output that may be narrowed are; else the op meets f32 on both sides.
MODES = {
    "fp32": ("fp32", False),
    "bf16": ("bf16", False),
    "bf16-stored": ("bf16", True),
    "int8": ("int8", False),
    "int8-stored": ("int8", True),
    "fp8": ("fp8", False),
}


def differs(case: Case, mode: str) -> bool:
    """Does the op do anything in this mode that it does not do in bf16?"""
    writes_rows = mode == "int8-stored" and OPS[case.op]["outputs"][0]["role"] == "quantised"
    return mode.startswith(("fp32", "bf16")) or is_gemm(case) or writes_rows


RUNS = [pytest.param(case, mode, id=f"{case}-{mode}") for case in ALL for mode in MODES if differs(case, mode)]


def runs() -> Iterator[Any]:
    """The units for VNNI differ from their base in int8 alone."""
    for run in RUNS:
        for isa in runnable_isas():
            if not isa.endswith("_vnni") or run.values[1].startswith("int8"):
                yield pytest.param(*run.values, isa, id=f"{run.id}-{isa}")


@pytest.mark.parametrize(("case", "mode", "isa"), runs())
def test_matches_reference(case: Case, mode: str, isa: str, check_close: Callable[[Array, Array, str], None]) -> None:
    precision, stored = MODES[mode]
    outputs = run_op(case, precision, stored, isa, threads=1)
    for actual, reference in zip(outputs, expected(case, precision, stored), strict=True):
        check_close(actual, reference, precision)


@pytest.mark.parametrize(
    ("case", "mode"), [run for run in RUNS if run.values[1] in ("fp32", "bf16-stored", "int8-stored", "fp8")]
)
def test_threads_change_no_bit(case: Case, mode: str) -> None:
    precision, stored = MODES[mode]
    alone, *shared = (run_op(case, precision, stored, native_isas()[-1], threads) for threads in (1, 2, 3))
    for outputs in shared:
        assert [y.tobytes() for y in outputs] == [y.tobytes() for y in alone]


@pytest.mark.parametrize("case", [case for case in CASES["linear"] if case.attrs["act"] == "none"], ids=str)
def test_int8_has_the_same_bits_everywhere(case: Case) -> None:
    """Its sums are exact, and its scales are applied in one order."""
    alone, *others = (run_op(case, "int8", False, isa, threads=1)[0].tobytes() for isa in runnable_isas())
    assert set(others) == {alone}
