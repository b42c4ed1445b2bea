"""The self-test of the simulator's checks: tiny faulty kernels and calls, each found, and their right twins, silent."""

import subprocess
from pathlib import Path

import pytest

SELFTEST = Path(__file__).parents[2] / "build/native/cuda_sim_selftest"


def test_every_fault_is_found_and_nothing_else() -> None:
    if not SELFTEST.exists():
        pytest.skip("built without YANRT_CUDA=SIM")
    run = subprocess.run([SELFTEST], capture_output=True, text=True, timeout=120)
    lines = run.stdout.splitlines()
    assert [line for line in lines if not line.startswith("ok ")] == []
    assert run.returncode == 0
    assert len(lines) > 200, "cases are missing"
