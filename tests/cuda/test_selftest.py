"""The self-test of the simulator's checks: tiny faulty kernels and calls, each found, and their right twins, silent."""

from pathlib import Path

import pytest

sim = pytest.importorskip("yanrt._cuda_sim", reason="built without YANRT_CUDA=SIM")

ORDERS, LAYOUTS = 3, 4


def test_every_fault_is_found_and_nothing_else() -> None:
    lines = sim.selftest()
    assert [line for line in lines if not line.startswith("ok ")] == []
    cases, rest = divmod(len(lines) - LAYOUTS, ORDERS)
    assert rest == 0
    told = f"{len(lines)} of {len(lines)} as expected ({cases} cases; four mma layouts)"
    assert told in (Path(__file__).parents[2] / "docs/cuda.md").read_text(), "cases are missing, or the document is old"
