import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from yanrt.cli import main


def test_info_names_what_a_user_needs(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(tiny)]) == 0
    out = capsys.readouterr().out
    for expected in (
        "6x4 RGB, 20.0 a second, 2 a step",
        "BRIGHTER (KeyW)",
        "shift: denoise (step_shift)",
        "fp32: weights",
    ):
        assert expected in out


def test_verify_and_dump(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(tiny)]) == 0
    assert "3 tensors match their checksums, 5 programs" in capsys.readouterr().out
    assert main(["dump", str(tiny), "step_shift"]) == 0
    out = capsys.readouterr().out
    assert "linear(" in out
    assert "program decode" not in out
    assert main(["dump", str(tiny)]) == 0
    assert "program decode" in capsys.readouterr().out


def test_a_reader_that_has_seen_enough() -> None:
    command = [sys.executable, "-m", "yanrt", "dump", "doom"]  # far more than a pipe holds
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_bench_writes_percentiles(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sub" / "bench.json"
    options = ["--steps", "20", "--threads", "1", "--precision", "fp32", "--json", str(path)]
    assert main(["bench", str(tiny), *options]) == 0
    result = json.loads(path.read_text())
    assert result["steps"] == 20
    assert result["frames"] == 40
    assert (result["precision"], result["threads"], result["schedule"]) == ("fp32", 1, "shift")
    assert set(result["milliseconds"]) == {"denoise", "decode", "copy", "total"}
    for phase in result["milliseconds"].values():
        assert phase["p50"] <= phase["p95"] <= phase["p99"]
    assert result["deadline_ms"] == 100
    assert result["action_to_picture"]["frames"] == 4
    assert "frames/s" in capsys.readouterr().out


def test_bench_at_a_rate_sleeps_between_steps(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = time.perf_counter()
    assert main(["bench", str(tiny), "--steps", "10", "--threads", "1", "--precision", "fp32", "--fps", "40"]) == 0
    assert time.perf_counter() - start >= 0.5  # 20 frames
    assert "of 10 steps" in capsys.readouterr().out


def test_play_writes_a_video_and_its_times(tiny: Path, tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    actions, video, latency = (tmp_path / name for name in ("walk.actions", "walk.mp4", "latency.json"))
    actions.write_text("10 BRIGHTER\n10 DARKER\n")
    options = ["--actions", actions, "--frames", 31, "--out", video, "--latency", latency, "--window", "no"]
    assert main(["play", str(tiny), *map(str, options)]) == 0
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert stream.average_rate == 20
    assert len(frames) == 32
    assert frames[0].shape == (4, 6, 3)
    assert frames[12].mean() > frames[24].mean()
    assert json.loads(latency.read_text())["frames"] == 32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["info", "nowhere"], "ArgumentError: no model 'nowhere'"),
        (["play", "TINY", "--window", "no"], "ArgumentError: there is no screen to play on"),
        (["play", "TINY", "--frames", "3"], "--frames is the length of the script"),
        (["play", "TINY", "--actions", "nowhere.actions"], "nowhere.actions"),
        (["bench", "TINY", "--schedule", "slow"], "'slow'; it has 'sequential', 'shift'"),
        (["bench", "TINY", "--ablate", "--fps", "60"], "leave out --fps"),
        (["dump", "TINY", "slow"], "'slow'"),
    ],
)
def test_errors_are_one_line(
    tiny: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main([str(tiny) if argument == "TINY" else argument for argument in arguments]) == 1
    error = capsys.readouterr().err
    assert error.startswith("yanrt: ")
    assert message in error
    assert error.count("\n") == 1


def test_a_broken_package_is_refused(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.safetensors"
    data = tiny.read_bytes()
    for bad in (b"", data[:-1], data[: len(data) // 2], data[:-1] + bytes([data[-1] ^ 1])):
        broken.write_bytes(bad)
        assert main(["verify", str(broken)]) == 1
        assert "PackageError" in capsys.readouterr().err


def test_the_module_is_the_command(tiny: Path) -> None:
    run = subprocess.run([sys.executable, "-m", "yanrt", "verify", tiny], capture_output=True, text=True, check=False)
    assert run.returncode == 0
    assert "good" in run.stdout
