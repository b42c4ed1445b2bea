"""The self-test of the simulator's checks: tiny faulty kernels and calls, each found, and their right twins, silent."""

import pytest

sim = pytest.importorskip("yanrt._cuda_sim", reason="built without YANRT_CUDA=SIM")


def test_every_fault_is_found_and_nothing_else() -> None:
    lines = sim.selftest()
    assert [line for line in lines if not line.startswith("ok ")] == []
    assert len(lines) > 220, "cases are missing"
