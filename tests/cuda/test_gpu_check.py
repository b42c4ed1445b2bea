"""`make gpu-check`, rehearsed in the simulator: it runs, it says so in a table and in JSON, and it can fail."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cuda.toolchain import ROOT

FAKE_CUBLASLT = str(ROOT / "yanrt/libyanrt_fake_cublaslt.so")
pytest.importorskip("yanrt._cuda_sim", reason="built without YANRT_CUDA=SIM")


def gpu_check(report: Path, *arguments: str) -> tuple[int, dict[str, object]]:
    command = [sys.executable, "-m", "tests.cuda.gpu", "--json", str(report), *arguments]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return run.returncode, json.loads(report.read_text())


def test_ops_are_checked_for_every_generation_of_kernels(tmp_path: Path) -> None:
    status, report = gpu_check(tmp_path / "report.json", "--device", "cuda-sim", "--only", "ops", "--limit", "60",
                               "--cublaslt", FAKE_CUBLASLT)  # fmt: skip
    assert status == 0
    assert report["passed"] is True
    ops = report["ops"]
    assert isinstance(ops, dict)
    assert {name.split()[1] for name in ops} == {"auto", "sm_80", "cublaslt"}


def test_what_cannot_run_is_a_failure(tmp_path: Path) -> None:
    status, report = gpu_check(tmp_path / "report.json", "--device", "cuda-sim:9", "--only", "ops", "--limit", "2")
    assert status == 1
    assert report["passed"] is False
