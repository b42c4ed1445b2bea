"""Mutated packages: read or refused, never a crash; those that are read also run."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.program import sample
from tests.program.mutate import Mutator
from tests.support.package_builder import pack
from yanrt import _C
from yanrt.errors import Error, PackageError

MUTATIONS = 10_000
MAX_ELEMENTS = 100_000  # a package with larger values is read, but not run
NUMPY = {"f32": np.float32, "i64": np.int64, "i32": np.int32, "u8": np.uint8, "bool": np.bool_}
FUZZER = Path(__file__).parents[2] / "build" / "sanitize" / "fuzz_reader"


def elements(manifest: dict[str, Any]) -> int:
    shapes = [value["shape"] for program in manifest["programs"].values() for value in program["values"]]
    shapes += [state["shape"] for state in manifest["state"].values()]
    return sum(int(np.prod(shape, dtype=np.float64)) for shape in shapes)


def run_programs(package: Any, manifest: dict[str, Any], engine: Any, rng: np.random.Generator) -> None:
    runner = engine.runner()
    for name, state in manifest["state"].items():
        if state["dtype"] == "i64":  # frames, counters: a state may hold anything
            runner.set_state(name, rng.integers(-(2**40), 2**40, state["shape"]))
    for name, program in manifest["programs"].items():
        package.dump(name)
        values = [program["values"][port["value"]] for port in program["inputs"]]
        runner.run(name, [rng.integers(0, 2, v["shape"]).astype(NUMPY[v["dtype"]]) for v in values])


def run_sessions(manifest: dict[str, Any], engine: Any) -> None:
    frame, batch = manifest["frame"], manifest["batch"]
    steps = frame["temporal_factor"]
    action = np.ones((batch, steps, len(manifest["actions"]["buttons"])), np.float32)
    for name, schedule in manifest["schedules"].items():
        session = _C.Session(engine, name)
        session.reset([1] * batch)
        pixels = np.zeros((batch, steps, frame["height"], frame["width"], 3), np.uint8)
        if schedule.get("on_encode"):
            session.append(session.encode(pixels), action)
        session.prime()
        session.step(action, pixels)


def outcome(data: bytes, rng: np.random.Generator) -> str:
    try:
        package = _C.Package.from_bytes(data, "mutated")
    except PackageError as error:
        return "refused" if str(error).startswith("mutated: ") else "nameless"
    manifest = json.loads(package.manifest)
    if elements(manifest) > MAX_ELEMENTS:
        return "large"
    precision, threads = str(rng.choice(["fp32", "bf16"])), int(rng.integers(1, 3))
    try:
        engine = _C.Engine(package, precision=precision, threads=threads)
        run_programs(package, manifest, engine, rng)
        run_sessions(manifest, engine)
    except Error:
        return "unsupported"
    return "ran"


def test_mutated_packages_are_read_or_refused(tmp_path: Path) -> None:
    mutator = Mutator(pack(sample.manifest(), sample.tensors(), _C.crc32c), seed=2)
    rng = np.random.default_rng(3)
    count = {"refused": 0, "nameless": 0, "large": 0, "unsupported": 0, "ran": 0}
    last = os.open(tmp_path / "last.safetensors", os.O_CREAT | os.O_RDWR)  # what a crash would leave behind
    for _ in range(MUTATIONS):
        data = mutator.next()
        os.ftruncate(last, os.pwrite(last, data, 0))
        count[outcome(data, rng)] += 1
    os.close(last)
    assert count["nameless"] == 0
    assert count["refused"] > MUTATIONS // 2
    assert count["ran"] > MUTATIONS // 50  # else the mutations are too wild to try kernels
    assert count["unsupported"] < MUTATIONS // 50


@pytest.mark.fuzz
def test_under_sanitizers(tmp_path: Path) -> None:
    assert FUZZER.exists(), "run `make fuzz`, which builds it"
    mutator = Mutator(pack(sample.manifest(), sample.tensors(), _C.crc32c), seed=5)
    for i in range(5000):
        (tmp_path / f"{i:05}.safetensors").write_bytes(mutator.next())
    done = subprocess.run([FUZZER, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
