"""`yanrt profile`: spans, sums, the trace and the page."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from yanrt import _C
from yanrt.cli import main
from yanrt.cost import Ceiling, OpCost
from yanrt.engine import Engine
from yanrt.errors import ArgumentError
from yanrt.profile import Profile, profile
from yanrt.profile.record import op_bounds
from yanrt.profile.report import write_report
from yanrt.profile.trace import trace_events
from yanrt.session import Session

STEPS = 6


@pytest.fixture(scope="module")
def result(tiny: Path) -> Profile:
    with Session(tiny, precision="fp32", threads=2) as session:
        return profile(session, STEPS, warm_up=1)


def test_every_op_of_every_step_is_recorded(result: Profile, tiny: Path) -> None:
    engine = Engine(tiny, precision="fp32", threads=2)
    assert [phase.name for phase in result.phases] == ["denoise", "decode"]
    for phase in result.phases:
        ops = engine.native.ops(phase.program)
        assert phase.spans.shape == (STEPS, 2, len(ops), 2)
        begin, end = op_bounds(phase.spans)
        assert (phase.spans[:, 0] > 0).all(), "the first worker has a share of every op"
        assert (end >= begin).all()
        assert (begin[:, 1:] >= end[:, :-1]).all(), "ops run one after the other"
        assert [op.cost.op for op in phase.ops] == [op["op"] for op in ops]
        assert (phase.step_ms > 0).all()
        assert 0 <= phase.gap_share < 1


def test_phases_fit_into_what_the_session_reports(result: Profile) -> None:
    timings = result.to_dict()
    for phase in result.phases:
        assert np.median(phase.step_ms) <= timings["milliseconds"][phase.name]["p99"]
    assert len(timings["steps_ms"]) == STEPS
    assert timings["steps"] == STEPS


def test_a_profile_changes_no_frame(tiny: Path) -> None:
    frames = []
    for watched in (False, True):
        with Session(tiny, precision="fp32", threads=2) as session:
            session.reset(3)
            recorder = _C.Profile(session.engine.native, ["step_shift", "decode"], 2) if watched else None
            frames.append([session.step({"BRIGHTER"})[0] for _ in range(4)])  # more than the record has room for
            if recorder:
                assert len(recorder.spans("step_shift")) == 2
    np.testing.assert_array_equal(frames[0], frames[1])


def test_unwatched_programs_are_named(tiny: Path) -> None:
    recorder = _C.Profile(Engine(tiny).native, ["decode"], 1)
    with pytest.raises(ArgumentError, match="'append' was not watched"):
        recorder.spans("append")
    with pytest.raises(ArgumentError, match="has no program 'paint'"):
        _C.Profile(Engine(tiny).native, ["paint"], 1)


def test_the_trace_is_one_perfetto_reads(result: Profile) -> None:
    events = trace_events(result, steps=2)
    assert json.loads(json.dumps(events)) == events
    names = {event["args"]["name"] for event in events if event["ph"] == "M"}
    assert names == {"worker 0", "worker 1", "phases"}
    spans = [event for event in events if event["ph"] == "X"]
    shares = sum(int((phase.spans[-2:, ..., 0] > 0).sum()) for phase in result.phases)
    assert len(spans) == shares + 2 * len(result.phases)
    assert min(event["ts"] for event in spans) == 0
    assert all(event["dur"] >= 0 for event in spans)


def test_the_page_holds_its_numbers_and_loads_nothing(result: Profile, tmp_path: Path) -> None:
    path = tmp_path / "sub" / "profile.html"
    write_report(path, result)
    page = path.read_text()
    found = re.search(r"const P = (\{.*\});\n", page)
    assert found
    data = json.loads(found[1])
    assert data["steps"] == STEPS
    bars = data["timeline"]["bars"]["denoise"]
    assert {bar[0] for bar in bars} <= {0, 1}
    assert {bar[1] for bar in bars} == set(range(len(result.phases[0].ops)))
    assert not re.search(r"(src|href)=|https?://(?!www\.w3\.org/2000/svg)|import\(|fetch\(", page.replace(found[1], ""))


def test_roofline() -> None:
    ceiling = Ceiling({"f32": 100.0, "f32_products": 125.0, "bf16": 200.0, "int8": 400.0}, bytes=10.0)
    matrix = OpCost("linear", "k", "s", 1000, 0, read=30, written=10, weights=20, quadratic=False, matrix=True)
    assert ceiling.ideal_seconds(matrix, "fp32") == ("compute", 8.0)
    assert ceiling.ideal_seconds(matrix, "int8") == ("memory", 4.0)
    assert ceiling.unit(matrix, "fp8") == "bf16"  # no FP8 unit here
    chain = OpCost("pointwise", "k", "s", 100, 0, read=50, written=50, weights=0, quadratic=False, matrix=False)
    assert ceiling.ideal_seconds(chain, "bf16") == ("memory", 10.0)


def test_the_ceiling_is_measured() -> None:
    ceiling = Ceiling.measure(1)
    assert set(ceiling.operations) == {"f32", "f32_products", "bf16", "int8"}
    assert ceiling.operations["f32_products"] >= ceiling.operations["f32"]
    assert all(value > 1e8 for value in ceiling.operations.values())
    assert ceiling.bytes > 1e7
    assert Ceiling.measure(1, 2**20).bytes > 0.8 * ceiling.bytes  # a cache is no slower than memory
    with pytest.raises(ArgumentError, match="got 0"):
        _C.measure_ceiling(0)


def test_command(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    html, trace, numbers = (tmp_path / name for name in ("p.html", "p.trace", "p.json"))
    files = ["--html", html, "--trace", trace, "--json", numbers]
    assert main(["profile", str(tiny), "--steps", "4", "--precision", "fp32", *map(str, files)]) == 0
    out = capsys.readouterr().out
    assert "denoise (step_shift)" in out
    assert "linear" in out
    assert json.loads(trace.read_text())["traceEvents"]
    assert json.loads(numbers.read_text())["phases"][0]["ops"]
    assert "yanrt profile" in html.read_text()
