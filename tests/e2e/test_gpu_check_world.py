"""`make gpu-check`, the steps that play a world, rehearsed in the simulator on a tiny Yan-Sim: every row."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT
from yanrt.ablate import VARIANTS

pytest.importorskip("yanrt._cuda_sim", reason="built without YANRT_CUDA=SIM")


def test_a_world_is_compared_and_every_variant_timed(package: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    options = ["--device", "cuda-sim", "--package", str(package), "--steps", "2", "--rounds", "1"]
    command = [sys.executable, "-m", "tests.cuda.gpu", "--only", "world", "speed", "--json", str(report), *options]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout
    found = json.loads(report.read_text())
    assert found["world"]["fp32"]["latent"] < 1e-4
    assert found["world"]["bf16"]["state"] < 1e-2
    rows = {row["variant"]: row for row in found["speed"][str(package)]["rows"]}
    assert list(rows) == [variant.name for variant in VARIANTS]
    assert [name for name, row in rows.items() if "failure" in row] == ["int8"]
    assert rows["fp8 KV"]["memory"]["state"] < rows["all"]["memory"]["state"]


def test_a_world_that_is_missing_is_a_failure(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "tests.cuda.gpu", "--device", "cuda-sim", "--only", "world", "--json", str(report)]
    run = subprocess.run([*command, "--package", "nowhere.safetensors"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 1
    assert json.loads(report.read_text())["passed"] is False
