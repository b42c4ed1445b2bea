"""`make gpu-check`, the steps that play a world, rehearsed in the simulator on a tiny Yan-Sim: every row."""

import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import yanrt
from tests.cuda.gpu import world
from tests.e2e.conftest import ROOT
from tests.support.package_builder import seal
from yanrt import _C
from yanrt.ablate import VARIANTS

pytest.importorskip("yanrt._cuda_sim", reason="built without YANRT_CUDA=SIM")


def test_a_world_is_compared_and_every_variant_timed(package: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    options = ["--device", "cuda-sim", "--package", str(package), "--steps", "2", "--rounds", "1"]
    command = [sys.executable, "-m", "tests.cuda.gpu", "--only", "world", "speed", "--json", str(report), *options]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout
    found = json.loads(report.read_text())
    assert found["world"]["fp32"]["latent"] < 1e-5
    assert found["world"]["bf16"]["state"] < 1e-2
    assert found["world"]["bf16"]["played"] <= 2
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


def with_one_negated(path: Path, tensor: str) -> yanrt.Package:
    """The package, every value of one of its tensors with the other sign."""
    raw = path.read_bytes()
    (length,) = struct.unpack_from("<Q", raw)
    entries = json.loads(raw[8 : 8 + length])
    manifest = json.loads(entries.pop("__metadata__")["yanrt"])
    data = np.frombuffer(raw, np.uint8, offset=8 + length).copy()
    begin, end = entries[tensor]["data_offsets"]
    last = {"F32": 3, "BF16": 1, "F8_E4M3": 0}[entries[tensor]["dtype"]]
    data[begin + last : end : last + 1] ^= 0x80
    manifest["tensors"][tensor]["crc32c"] = f"{_C.crc32c(data[begin:end].tobytes()):08x}"
    return yanrt.Package(_C.Package.from_bytes(seal(manifest, entries, data.tobytes(), _C.crc32c), "damaged"))


def test_one_wrong_tensor_in_any_layer_is_noticed(package: Path) -> None:
    """The comparison on the CPU, one side of it with a tensor negated: every one that a step reads matters."""
    right = yanrt.Engine(package, device="cpu", precision="fp32", threads=1)
    manifest = right.package.manifest
    programs = [manifest["programs"][phase["program"]] for phase in manifest["schedules"]["shift"]["on_step"]]
    tensors = {value["tensor"] for program in programs for value in program["values"] if "tensor" in value}
    assert world.LIMITS["fp32"].hold(world.follows(right, right, 2))
    unnoticed = {
        tensor
        for tensor in tensors
        if world.LIMITS["fp32"].hold(
            world.follows(right, yanrt.Engine(with_one_negated(package, tensor), "cpu", "fp32", threads=1), 2)
        )
    }
    assert len(tensors) > 50
    assert unnoticed == {"vae.latent_mean"}, "of an untrained model it is zero, and has no sign"
