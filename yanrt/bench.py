"""Speed of a session as its user sees it: percentiles of every phase, frames a second, missed deadlines."""

import json
import os
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np

from yanrt.session import Info, Session

PERCENTILES = (50, 95, 99)


class StepTimes:
    """Collects the `timing` of steps and sums it up."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.timings: list[dict[str, float]] = []

    def add(self, info: Info) -> None:
        self.timings.append(info["timing"])

    def __len__(self) -> int:
        return len(self.timings)

    def summary(self) -> dict[str, Any]:
        """All times in milliseconds. A step misses its deadline if it takes longer than its T frames last."""
        session, package = self._session, self._session.package
        frames = package.temporal_factor
        deadline = 1e3 * frames / package.fps
        total = np.array([timing["total"] for timing in self.timings])
        phases = {
            name: {
                f"p{p}": round(float(np.percentile([timing[name] for timing in self.timings], p)), 3)
                for p in PERCENTILES
            }
            for name in self.timings[0]
        }
        return {
            "model": package.name,
            "schedule": session.schedule,
            **{key: session.engine.info[key] for key in ("device", "isa", "threads", "precision")},
            "machine": machine(),
            "steps": len(self.timings),
            "frames": frames * len(self.timings),
            "fps": round(float(frames * 1e3 / total.mean()), 2),
            "target_fps": package.fps,
            "milliseconds": phases,
            "deadline_ms": round(deadline, 3),
            "deadline_misses": int((total > deadline).sum()),
            "action_to_picture": {
                "frames": session.delay * frames,
                "ms_at_target_fps": round(session.delay * deadline + float(np.percentile(total, 50)), 3),
            },
            "memory": session.engine.memory.to_dict(),
        }


def bench(session: Session, steps: int = 120, seed: int = 0, fps: float | None = None) -> dict[str, Any]:
    """Resets, plays `steps` steps with a button change every few of them, and returns `StepTimes.summary()`.

    One after the other, or each when its frames are due at `fps` frames a second, asleep until then, as a game plays.
    """
    names = session.package.actions.names
    session.reset(seed)
    times = StepTimes(session)
    due = time.perf_counter()
    for step in range(steps):
        if fps is not None:
            due = max(due + session.package.temporal_factor / fps, time.perf_counter())
            time.sleep(max(0.0, due - time.perf_counter()))
        times.add(session.step({names[step // 8 % len(names)]})[1])
    return times.summary()


def write_json(path: str | os.PathLike[str], data: dict[str, Any]) -> None:
    """Writes `data` as indented JSON, making the folder where needed."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def table(summary: dict[str, Any]) -> str:
    """The summary as text: one line a phase, then speed."""
    lines = [
        f"{summary['model']} {summary['schedule']} {summary['precision']} on {summary['device']}"
        f" ({summary['isa']}, {summary['threads']} threads): {summary['frames']} frames in {summary['steps']} steps"
    ]
    lines.append(f"{'phase':<12}" + "".join(f"{f'p{p}':>10}" for p in PERCENTILES) + "  ms")
    for name, phase in summary["milliseconds"].items():
        lines.append(f"{name:<12}" + "".join(f"{phase[f'p{p}']:>10.2f}" for p in PERCENTILES))
    lines.append(
        f"{summary['fps']} frames/s (target {summary['target_fps']}),"
        f" {summary['deadline_misses']} of {summary['steps']} steps over {summary['deadline_ms']:.1f} ms"
    )
    return "\n".join(lines)


def machine() -> dict[str, Any]:
    """What a result was measured on."""
    return {"processor": processor_name(), "cores": os.cpu_count(), "system": platform.system()}


def processor_name() -> str:
    """The processor's own name where the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
