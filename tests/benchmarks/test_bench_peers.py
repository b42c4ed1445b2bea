"""bench_peers.py: rows, tables, failures; and, slowly, a whole run on a tiny model."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import bench_peers
from benchmarks.peers.artefacts import artefact
from benchmarks.peers.inputs import example_arrays
from benchmarks.peers.program_module import ProgramModule
from benchmarks.peers.report import rows, table
from benchmarks.peers.rounds import Entry, commands, relative_error
from benchmarks.peers.runtimes import RUNTIMES, Job, make
from benchmarks.peers.worker import reference
from yanrt.package import Package, find_package

CEILING = {2: {"f32": 1e11, "f32_products": 1.25e11, "bf16": 2e11, "int8": 4e11, "bytes": 1e10}}
SCHEMA = ("model", "runtime", "precision", "threads", "median_ms", "p10_ms", "p90_ms", "gflops", "rel_error")


def test_rows_have_the_schema() -> None:
    entries = [
        Entry("yanrt", "fp32", 2, rel_error=1e-7, times_ms=[1.0, 2.0, 3.0]),
        Entry("openvino", "fp32", 2, rel_error=1e-6, times_ms=[4.0]),
        Entry("onnxruntime", "int8", 2, failure="no such operator"),
    ]
    found = rows("m", entries, flops=1e9, ceilings=CEILING)
    assert all(set(SCHEMA) <= set(row) for row in found)
    assert found[0]["median_ms"] == 2
    assert found[0]["gflops"] == pytest.approx(500)
    assert found[0]["ceiling_share"] == pytest.approx(4)
    assert found[2]["median_ms"] is None
    assert json.loads(json.dumps(found)) == found
    text = table(found)
    assert "failed: no such operator" in text
    assert "2.00" in text.splitlines()[2]  # twice as slow as yanrt


def test_every_runtime_and_precision_is_wanted() -> None:
    wanted = commands([1, 2])
    assert len(wanted) == 2 * sum(len(precisions) for _, precisions in RUNTIMES.values())
    assert ("yanrt", "int8", 2) in wanted
    assert ("yanrt", "fp8", 1) in wanted
    assert {runtime for runtime, _, _ in commands([1], ["openvino"])} == {"openvino"}


def test_errors_are_relative_to_what_a_caller_sees() -> None:
    expected = {"latent": np.array([3.0, 4.0])}
    assert relative_error({"latent": np.array([3.0, 4.5]), "window": np.zeros(1)}, expected) == pytest.approx(0.1)
    with pytest.raises(ValueError, match="nothing to compare"):
        relative_error({"window": np.zeros(1)}, expected)


def test_the_reference_is_what_a_caller_sees_in_float64() -> None:
    module = ProgramModule(Package.open(find_package("doom")), "sim/step_shift")
    arrays = example_arrays(module)
    seen = reference(module, arrays, threads=1)
    assert {name: array.dtype for name, array in seen.items()} == {"latent": np.float64}
    assert "window" in module.outputs
    # Its second evaluation sees the latent that the first has committed.
    job = Job(module, "sim/step_shift", arrays, "fp32", 1, Path())
    assert relative_error(make("yanrt", job).outputs(), seen) < 1e-5


def test_unknown_names_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench_peers.main(["--models", "dit-s,dit-x"])
    assert "unknown: dit-x" in capsys.readouterr().err


def test_an_artefact_is_made_once_and_whole(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        artefact(tmp_path, "onnx", fail)
    assert list(tmp_path.iterdir()) == []
    path = artefact(tmp_path, "onnx", lambda folder: (folder / "model.onnx").touch())
    assert (path / "model.onnx").exists()
    assert artefact(tmp_path, "onnx", fail) == path


def test_an_interrupted_run_keeps_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(model: object, entries: list[Entry], *_: object) -> None:
        entries[0].times_ms += [1.0, 1.0]
        entries[0].rel_error = 0.0
        raise KeyboardInterrupt

    monkeypatch.setattr(bench_peers, "measure", interrupted)
    path = tmp_path / "peers.json"
    options = ["--models", "step,decode", "--runtimes", "yanrt", "--threads", "1", "--json", str(path)]
    assert bench_peers.main(options) == 130
    result = json.loads(path.read_text())
    assert result["interrupted"]
    assert [row["median_ms"] for row in result["rows"]] == [1.0, None, None, None]


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_ends_takes_its_peers_along(how: signal.Signals, tmp_path: Path) -> None:
    options = ["--models", "dit-tiny", "--runtimes", "torch-compile", "--threads", "1", "--packages", str(tmp_path)]
    run = subprocess.Popen([sys.executable, bench_peers.__file__, *options], stdout=subprocess.DEVNULL)
    compiling = _within(120, lambda: [pid for pid in _descendants(run.pid) if "/inductor/" in _command(pid)])
    peers = _descendants(run.pid)
    run.send_signal(how)
    run.wait(10)
    assert compiling
    assert _within(10, lambda: not any(map(_command, peers)))


def _within(seconds: float, condition: Callable[[], Any]) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def _descendants(pid: int) -> list[int]:
    """Processes that `pid` has started, and those that these have."""
    try:
        children = [int(n) for path in Path(f"/proc/{pid}/task").glob("*/children") for n in path.read_text().split()]
    except OSError:
        return []
    return children + [grandchild for child in children for grandchild in _descendants(child)]


def _command(pid: int) -> str:
    """Of a process; empty for one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


@pytest.mark.slow
def test_a_whole_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("onnxruntime", "openvino", "nncf"):
        pytest.importorskip(name)
    path = tmp_path / "peers.json"
    options = ["--models", "dit-tiny", "--rounds", "3", "--threads", "1", "--packages", str(tmp_path)]
    assert bench_peers.main([*options, "--json", str(path)]) == 0
    result = json.loads(path.read_text())
    assert set(result["ceiling"]["1"]) == {"f32", "f32_products", "bf16", "int8", "bytes"}
    by_name = {(row["runtime"], row["precision"]): row for row in result["rows"]}
    assert len(by_name) == len(commands([1]))
    for runtime in ("yanrt", "torch-eager", "torch-compile", "onnxruntime", "openvino"):
        row = by_name[runtime, "fp32"]
        assert "failure" not in row, row
        assert row["rel_error"] < 1e-5
        assert row["p10_ms"] <= row["median_ms"] <= row["p90_ms"]
    assert "dit-tiny" in capsys.readouterr().out
