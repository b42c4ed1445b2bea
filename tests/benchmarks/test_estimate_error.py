"""`benchmarks/estimate_error.py`: the fit gives back the constants that made the times."""

import pytest

from benchmarks.estimate_error import fitted
from yanrt.cost import Ceiling, OpCost
from yanrt.roofline import Device, op_seconds


def test_the_fit_finds_the_constants_that_the_times_were_made_with() -> None:
    ceiling = Ceiling({"f32": 1e11, "bf16": 1e12}, 1e10)
    true = Device("d", ceiling, 0, "bf16", reach=0.4, reach_memory=1, exponential=70, overlaps=False, near=3e10)
    linear = OpCost("linear", "k", "s", 8e9, 0, read=3e6, written=1e6, weights=2e6, quadratic=False, matrix=True)
    attention = OpCost("attention", "k", "s", 1e9, 1e6, read=3e6, written=1e6, weights=0, quadratic=True, matrix=True)
    norm = OpCost("layer_norm", "k", "s", 1e6, 0, read=3e6, written=1e6, weights=0, quadratic=False, matrix=False)
    timed = [(cost, op_seconds(cost, true)) for cost in (linear, attention, norm, linear)]
    assert fitted(timed, true) == pytest.approx((0.4, 70))
