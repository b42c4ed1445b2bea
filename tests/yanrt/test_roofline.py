"""`yanrt estimate`: scaling, rooflines of devices, verdicts."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from yanrt.cli import main
from yanrt.cost import Ceiling, OpCost
from yanrt.errors import ArgumentError, UnsupportedError
from yanrt.package import Package
from yanrt.roofline import DEVICES, GPUS, Device, estimate_speed, find_device, op_seconds, scaled, seconds_by_op

LINEAR = OpCost("linear", "k", "s", 8e9, 0, read=3e6, written=1e6, weights=1e6, quadratic=False, matrix=True)
ATTENTION = OpCost("attention", "k", "s", 1e9, 1e6, read=3e6, written=1e6, weights=0, quadratic=True, matrix=True)


def test_more_tokens_cost_more() -> None:
    twice = scaled(LINEAR, 2)
    assert (twice.flops, twice.weights, twice.read, twice.written) == (16e9, 1e6, 5e6, 2e6)
    assert (scaled(ATTENTION, 2).flops, scaled(ATTENTION, 2).exponentials) == (4e9, 4e6)


def test_seconds_follow_the_roofline() -> None:
    ceiling = Ceiling({"f32": 1e12, "bf16": 2e12}, 1e12)
    device = Device("d", ceiling, 0, "bf16", reach=0.5, reach_memory=0.5, exponential=100, launch=1e-3)
    seconds = seconds_by_op([LINEAR, LINEAR, ATTENTION], device)
    assert seconds["linear"] == pytest.approx(2 * (8e9 / 1e12 + 1e-3))
    assert seconds["attention"] == pytest.approx(1e9 / 1e12 + 100 * 1e6 / 1e12 + 1e-3)
    assert op_seconds(replace(LINEAR, flops=1), device) == pytest.approx(4e6 / 0.5e12 + 1e-3)
    alone = replace(device, overlaps=False)
    assert op_seconds(LINEAR, alone) == pytest.approx(8e9 / 1e12 + 4e6 / 0.5e12 + 1e-3)
    near = replace(alone, near=1e13)  # what is no weight lies in a cache
    assert op_seconds(LINEAR, near) == pytest.approx(8e9 / 1e12 + 1e6 / 0.5e12 + 3e6 / 0.5e13 + 1e-3)
    assert list(seconds) == ["linear", "attention"]


def test_faster_devices_are_faster(tiny: Path) -> None:
    package = Package.open(tiny)
    speeds = [estimate_speed(package, find_device(name, "bf16"), size=(1088, 1920)).fps for name in GPUS]
    assert len(set(speeds)) == len(GPUS)
    by_name = dict(zip(GPUS, speeds, strict=True))
    assert by_name["rtx4060"] < by_name["rtx4090"] < by_name["rtx5090"]


def test_memory_decides_whether_it_fits(tiny: Path) -> None:
    package = Package.open(tiny)
    small = Device("small", Ceiling({"f32": 1e12, "bf16": 1e12}, 1e12), 1000.0, "bf16")
    assert not estimate_speed(package, small).fits
    assert estimate_speed(package, Device("big", small.ceiling, 1e12, "bf16")).fits


def test_the_processor_is_measured(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "estimate.json"
    assert main(["estimate", str(tiny), "--device", "cpu", "--threads", "1", "--json", str(path)]) == 0
    found = json.loads(path.read_text())
    assert found["step_ms"] > 0
    assert found["size"] == [4, 6]
    out = capsys.readouterr().out
    assert "nothing was run" in out
    assert "reaches 60 frames/s" in out


def test_wrong_devices_and_sizes_are_named(tiny: Path) -> None:
    with pytest.raises(ArgumentError, match=f"unknown device 'rtx1'; there are {', '.join(DEVICES)}"):
        find_device("rtx1", "bf16")
    with pytest.raises(UnsupportedError, match="precision 'int8' has no CUDA kernels; use fp8"):
        find_device("h20", "int8")
    with pytest.raises(ArgumentError, match="1080x1920 must be multiples of 32; 1088x1920"):
        estimate_speed(Package.open(tiny), GPUS["h20"], size=(1080, 1920))
    with pytest.raises(ArgumentError, match="no schedule 'slow'"):
        estimate_speed(Package.open(tiny), find_device("h20", "bf16"), "slow")
