"""Records a session op by op and sums it up.

Legend: R recorded steps, W workers (threads), N ops of a phase.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yanrt import _C
from yanrt.bench import StepTimes
from yanrt.cost import Ceiling, OpCost, costs_of
from yanrt.session import Session


@dataclass(frozen=True)
class OpProfile:
    """One op of a phase. Times are milliseconds; `wall` is from the first worker's begin to the last one's end."""

    cost: OpCost
    wall_p50: float
    wall_p99: float
    wait_p50: float  # of the workers that were done before the last one, on average
    gflops: float
    gbytes: float  # a second, read and written
    share: float  # of the ceiling that bounds the op; above 1 where its data lay in a cache
    bound: str  # "compute" or "memory"


@dataclass(frozen=True)
class PhaseProfile:
    name: str
    program: str
    spans: NDArray[np.int64]  # [R, W, N, 2] nanoseconds; 0 where a worker had no share
    ops: list[OpProfile]

    @property
    def step_ms(self) -> NDArray[np.float64]:
        """Time of the phase in every recorded step, [R]: from the first begin to the last end."""
        begin, end = op_bounds(self.spans)
        milliseconds: NDArray[np.float64] = (end[:, -1] - begin[:, 0]) / 1e6
        return milliseconds

    @property
    def gap_share(self) -> float:
        """Part of the phase's median step in which no worker was inside an op: barriers, and nothing else."""
        begin, end = op_bounds(self.spans)
        inside = (end - begin).sum(1) / 1e6
        return float(np.median(1 - inside / self.step_ms))


def op_bounds(spans: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """When the first worker began and the last one ended, [R, N] each, of spans [R, W, N, 2]."""
    begin, end = spans[..., 0], spans[..., 1]
    never = np.iinfo(np.int64).max
    return np.where(begin > 0, begin, never).min(1), end.max(1)


@dataclass(frozen=True)
class Profile:
    """`summary` is that of `yanrt bench`, of the recorded steps."""

    summary: dict[str, Any]
    totals_ms: list[float]  # of every step, as the caller sees it
    ceiling: Ceiling
    phases: list[PhaseProfile]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: everything but the spans."""
        return {
            **self.summary,
            "ceiling": {"gflops": {k: v / 1e9 for k, v in self.ceiling.operations.items()}}
            | {"gbytes": self.ceiling.bytes / 1e9},
            "steps_ms": [round(ms, 3) for ms in self.totals_ms],
            "phases": [
                {
                    "name": phase.name,
                    "program": phase.program,
                    "p50_ms": round(float(np.median(phase.step_ms)), 4),
                    "gap_share": round(phase.gap_share, 5),
                    "ops": [_op_dict(index, op) for index, op in enumerate(phase.ops)],
                }
                for phase in self.phases
            ],
        }


def _op_dict(index: int, op: OpProfile) -> dict[str, Any]:
    cost = op.cost
    return {
        "index": index,
        "op": cost.op,
        "kernel": cost.kernel,
        "source": cost.source,
        "p50_ms": round(op.wall_p50, 5),
        "p99_ms": round(op.wall_p99, 5),
        "wait_ms": round(op.wait_p50, 5),
        "mflop": round(cost.flops / 1e6, 4),
        "kbytes": round(cost.bytes / 1e3, 2),
        "gflops": round(op.gflops, 2),
        "gbytes": round(op.gbytes, 2),
        "share": round(op.share, 4),
        "bound": op.bound,
    }


def profile(session: Session, steps: int = 120, seed: int = 0, warm_up: int = 8) -> Profile:
    """Resets, plays `warm_up` steps, then records `steps` of them with a button change every few steps.

    Two clock readings an op and a worker are all that recording adds; nothing of it is there without.
    """
    package = session.package
    names = package.actions.names
    phases = package.manifest["schedules"][session.schedule]["on_step"]
    before = Ceiling.measure(session.engine.info["threads"])
    session.reset(seed)
    for _ in range(warm_up):
        session.step()
    times = StepTimes(session)
    recorder = _C.Profile(session.engine.native, [phase["program"] for phase in phases], steps)
    for step in range(steps):
        times.add(session.step({names[step // 8 % len(names)]})[1])
    recorder.stop()
    ceiling = before.best(Ceiling.measure(session.engine.info["threads"]))
    precision = session.engine.precision
    return Profile(
        summary=times.summary(),
        totals_ms=[timing["total"] for timing in times.timings],
        ceiling=ceiling,
        phases=[
            _phase(phase, recorder, costs_of(session.engine.native, phase["program"]), ceiling, precision)
            for phase in phases
        ],
    )


def _phase(
    phase: dict[str, Any], recorder: _C.Profile, costs: list[OpCost], ceiling: Ceiling, precision: str
) -> PhaseProfile:
    spans = recorder.spans(phase["program"])
    first, last = op_bounds(spans)
    wall = (last - first) / 1e6
    done = np.where(spans[..., 1] > 0, spans[..., 1], first[:, None])  # a worker without a share waits all the time
    wait = (last[:, None] - done).mean(1) / 1e6
    p50, p99, waits = np.median(wall, 0), np.percentile(wall, 99, axis=0), np.median(wait, 0)
    ops = []
    for index, cost in enumerate(costs):
        seconds = max(float(p50[index]), 1e-6) * 1e-3
        bound, ideal = ceiling.ideal_seconds(cost, precision)
        ops.append(
            OpProfile(
                cost=cost,
                wall_p50=float(p50[index]),
                wall_p99=float(p99[index]),
                wait_p50=float(waits[index]),
                gflops=cost.flops / seconds / 1e9,
                gbytes=cost.bytes / seconds / 1e9,
                share=ideal / seconds,
                bound=bound,
            )
        )
    return PhaseProfile(phase["name"], phase["program"], spans, ops)


def table(result: Profile, rows: int = 20) -> str:
    """The slowest ops of every phase as text."""
    lines = []
    for phase in result.phases:
        total = float(np.median(phase.step_ms))
        lines.append(f"{phase.name} ({phase.program}): {total:.3f} ms, gaps {phase.gap_share:.1%}")
        lines.append(f"  {'op':<16}{'ms':>9}{'%':>6}{'GFLOP/s':>9}{'GB/s':>8}{'ceiling':>9}  kernel, source")
        slowest = sorted(phase.ops, key=lambda op: -op.wall_p50)
        for op in slowest[:rows]:
            lines.append(
                f"  {op.cost.op:<16}{op.wall_p50:>9.4f}{op.wall_p50 / total:>6.1%}{op.gflops:>9.1f}{op.gbytes:>8.1f}"
                f"{op.share:>9.0%}  {op.cost.kernel}, {op.cost.source}"
            )
        if len(slowest) > rows:
            rest = sum(op.wall_p50 for op in slowest[rows:])
            lines.append(f"  {len(slowest) - rows} more ops: {rest:.4f} ms")
    return "\n".join(lines)
