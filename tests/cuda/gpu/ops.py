"""Every op's cases on the device, against their float64 references: each precision, and each generation of kernels that
the chip can run, so that a path for older chips is not left to machines nobody has."""

import itertools
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from tests.conftest import TOLERANCE, relative_errors
from tests.kernels.cases import CASES
from tests.support.op_case import Case, expected
from tests.support.run_op import run_op
from yanrt.errors import Error

MODES = {"fp32": ("fp32", False), "bf16": ("bf16", False), "bf16-stored": ("bf16", True)}


@dataclass
class OpResult:
    """All cases of one op with one generation of kernels."""

    cases: int = 0
    worst: dict[str, float] = field(default_factory=dict)  # precision -> largest relative RMS
    failures: list[str] = field(default_factory=list)


def check(case: Case, mode: str, device: str, generation: str) -> float:
    """The relative RMS error. Raises ValueError if it exceeds the tolerance."""
    precision, stored = MODES[mode]
    worst = 0.0
    for actual, reference in zip(
        run_op(case, precision, stored, generation, threads=1, device=device),
        expected(case, precision, stored),
        strict=True,
    ):
        if not np.issubdtype(reference.dtype, np.floating):
            if not np.array_equal(actual, reference):
                raise ValueError("integers differ")
            continue
        finite = np.isfinite(reference)
        if not np.array_equal(actual[~finite], reference[~finite].astype(actual.dtype), equal_nan=True):
            raise ValueError("infinities or NaNs differ")
        rms, largest = relative_errors(actual[finite], reference[finite])
        if rms > TOLERANCE[precision][0] or largest > TOLERANCE[precision][1]:
            raise ValueError(f"relative RMS {rms:.2e}, largest {largest:.2e}")
        worst = max(worst, rms)
    return worst


def work(generations: list[str], limit: int) -> Iterator[tuple[str, Case, str, str]]:
    """(op, case, mode, generation), all of them or `limit` of them at random."""
    everything = [
        (op, case, mode, generation)
        for op, cases in CASES.items()
        for case, mode, generation in itertools.product(cases, MODES, generations)
    ]
    yield from everything if not limit else random.Random(1).sample(everything, min(limit, len(everything)))


def run(device: str, generations: list[str], limit: int, seconds: float) -> dict[str, OpResult]:
    """ "op generation" -> result. Stops after `seconds`: what was left out is a failure, not a silence."""
    results: dict[str, OpResult] = {}
    end = time.monotonic() + seconds
    left_out = 0
    for op, case, mode, generation in work(generations, limit):
        if time.monotonic() > end:
            left_out += 1
            continue
        result = results.setdefault(f"{op} {generation}", OpResult())
        result.cases += 1
        try:
            error = check(case, mode, device, generation)
            result.worst[MODES[mode][0]] = max(error, result.worst.get(MODES[mode][0], 0.0))
        except (ValueError, Error) as error:
            result.failures.append(f"{case} {mode}: {error}")
    if left_out:
        results["time"] = OpResult(failures=[f"{left_out} cases were left out after {seconds:.0f} s"])
    return results
