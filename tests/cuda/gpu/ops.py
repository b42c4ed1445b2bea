"""Every op's cases on the device, against their float64 references: each precision, and each generation of kernels that
the chip can run, so that a path for older chips is not left to machines nobody has."""

import itertools
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.conftest import TOLERANCE, relative_errors
from tests.kernels.cases import CASES
from tests.support.op_case import Case, expected, expected_of_e4m3_rows
from tests.support.run_op import run_op
from yanrt.errors import Error

Array = NDArray[Any]


@dataclass(frozen=True)
class Mode:
    """`stored`: operands and output are kept in the precision. `op`: the one that it is for."""

    precision: str
    stored: bool = False
    kv: str = "auto"
    op: str = ""

    def expected(self, case: Case) -> list[Array]:
        if self.precision == "fp8":
            return [expected_of_e4m3_rows(case, self.stored)]
        return expected(case, self.precision, self.stored, kv=self.kv)


MODES = {
    "fp32": Mode("fp32"),
    "bf16": Mode("bf16"),
    "bf16-stored": Mode("bf16", stored=True),
    "fp8": Mode("fp8", op="linear"),
    "fp8-kv": Mode("bf16", kv="fp8", op="ring_attention"),
}
LIBRARY_MODES = ("bf16", "fp8")


@dataclass
class OpResult:
    """All cases of one op with one generation of kernels."""

    cases: int = 0
    worst: dict[str, float] = field(default_factory=dict)  # mode -> largest relative RMS
    failures: list[str] = field(default_factory=list)


def check(case: Case, mode: str, device: str, generation: str, cublaslt: str = "") -> float:
    """The relative RMS error. Raises ValueError if it exceeds the tolerance."""
    how, worst = MODES[mode], 0.0
    rms_limit, largest_limit = TOLERANCE[how.precision]
    actuals = run_op(case, how.precision, how.stored, generation, 1, device, how.kv, cublaslt)
    for actual, reference in zip(actuals, how.expected(case), strict=True):
        if not np.issubdtype(reference.dtype, np.floating):
            if not np.array_equal(actual, reference):
                raise ValueError("integers differ")
            continue
        finite = np.isfinite(reference)
        if not np.array_equal(actual[~finite], reference[~finite].astype(actual.dtype), equal_nan=True):
            raise ValueError("infinities or NaNs differ")
        rms, largest = relative_errors(actual[finite], reference[finite])
        if rms > rms_limit or largest > largest_limit:
            raise ValueError(f"relative RMS {rms:.2e}, largest {largest:.2e}")
        worst = max(worst, rms)
    return worst


def work(generations: list[str], limit: int, cublaslt: str) -> Iterator[tuple[str, Case, str, str, str]]:
    """(op, case, mode, generation, library), all of them or `limit` of them at random."""
    everything = [
        (op, case, mode, generation, "")
        for op, cases in CASES.items()
        for case, mode, generation in itertools.product(cases, MODES, generations)
        if MODES[mode].op in ("", op)
    ]
    if cublaslt:
        everything += [("linear", case, mode, "auto", cublaslt) for case in CASES["linear"] for mode in LIBRARY_MODES]
    yield from everything if not limit else random.Random(1).sample(everything, min(limit, len(everything)))


def run(device: str, generations: list[str], limit: int, seconds: float, cublaslt: str) -> dict[str, OpResult]:
    """ "op generation" -> result; with the library `cublaslt`, "linear cublaslt" too. Stops after `seconds`: what was
    left out is a failure, not a silence."""
    results: dict[str, OpResult] = {}
    end = time.monotonic() + seconds
    left_out = 0
    for op, case, mode, generation, library in work(generations, limit, cublaslt):
        if time.monotonic() > end:
            left_out += 1
            continue
        result = results.setdefault(f"{op} {'cublaslt' if library else generation}", OpResult())
        result.cases += 1
        try:
            error = check(case, mode, device, generation, library)
            result.worst[mode] = max(error, result.worst.get(mode, 0.0))
        except (ValueError, Error) as error:
            result.failures.append(f"{case} {mode}: {error}")
    if left_out:
        results["time"] = OpResult(failures=[f"{left_out} cases were left out after {seconds:.0f} s"])
    return results
