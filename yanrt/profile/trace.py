"""A profile as a Chrome trace, which Perfetto (ui.perfetto.dev) and chrome://tracing open."""

import json
import os
from pathlib import Path
from typing import Any

from yanrt.profile.record import PhaseProfile, Profile, op_bounds

_PHASES = 1000  # the track above the workers'


def trace_events(result: Profile, steps: int = 20) -> list[dict[str, Any]]:
    """The last `steps` recorded steps: a track a worker, and one of the phases. Times are microseconds."""
    spans = [phase.spans for phase in result.phases]
    runs = len(spans[0])
    origin = int(op_bounds(spans[0])[0][max(0, runs - steps) :].min())
    workers = spans[0].shape[1]
    events: list[dict[str, Any]] = [_name(worker, f"worker {worker}") for worker in range(workers)]
    events.append(_name(_PHASES, "phases"))
    for run in range(max(0, runs - steps), runs):
        for phase in result.phases:
            events += _run_events(phase, run, origin)
    return events


def _run_events(phase: PhaseProfile, run: int, origin: int) -> list[dict[str, Any]]:
    spans = phase.spans[run]  # [W, N, 2]
    begin, end = op_bounds(phase.spans)
    events = [_event(phase.name, "phase", _PHASES, int(begin[run, 0]), int(end[run, -1]), origin)]
    events[0]["args"] = {"step": run}
    for worker in range(spans.shape[0]):
        for op, (began, ended) in zip(phase.ops, spans[worker].tolist(), strict=True):
            if not began:
                continue  # no share of this op
            event = _event(op.cost.op, phase.name, worker, began, ended, origin)
            event["args"] = {"kernel": op.cost.kernel, "source": op.cost.source, "MFLOP": op.cost.flops / 1e6}
            events.append(event)
    return events


def _event(name: str, category: str, track: int, begin: int, end: int, origin: int) -> dict[str, Any]:
    times = {"ts": (begin - origin) / 1e3, "dur": (end - begin) / 1e3}
    return {"name": name, "cat": category, "ph": "X", "pid": 1, "tid": track, **times}


def _name(track: int, name: str) -> dict[str, Any]:
    return {"name": "thread_name", "ph": "M", "pid": 1, "tid": track, "args": {"name": name}}


def write_trace(path: str | os.PathLike[str], result: Profile, steps: int = 20) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    trace = {"traceEvents": trace_events(result, steps), "displayTimeUnit": "ms"}
    Path(path).write_text(json.dumps(trace), encoding="utf-8")
