"""A whole world on the device: each step against the CPU, and how fast it is with one thing changed at a time."""

from pathlib import Path
from typing import Any

import numpy as np

import yanrt
from tests.conftest import relative_errors
from yanrt.bench import bench
from yanrt.errors import UnsupportedError


def follows_cpu(package: str | Path, device: str, precision: str, steps: int) -> dict[str, float]:
    """Largest relative RMS of a step's outputs and of the states after it. Both sides take each step from the state
    that the CPU is in: what differs is one step's rounding, not what it leads to."""
    cpu, gpu = (yanrt.Engine(package, device=where, precision=precision).runner() for where in ("cpu", device))
    actions = cpu.engine.package.actions
    cpu.reset(7)
    worst = {"latent": 0.0, "state": 0.0}
    for step in range(steps):
        for name in cpu.state:
            gpu.state[name] = cpu.state[name]
        held = {actions.names[step % len(actions.names)]}
        encoded = np.asarray(actions.encode(held, cpu.engine.package.temporal_factor, cpu.engine.package.batch))
        (expected,), (actual,) = cpu.run("sim/step_shift", encoded), gpu.run("sim/step_shift", encoded)
        worst["latent"] = max(worst["latent"], relative_errors(actual, expected.astype(np.float64))[0])
        for name in cpu.state:
            error = relative_errors(gpu.state[name], cpu.state[name].astype(np.float64))[0]
            worst["state"] = max(worst["state"], error)
    return worst


def ablation(package: str | Path, device: str, steps: int) -> list[dict[str, Any]]:
    """Milliseconds a step (p50, p95) and frames a second for each precision and schedule that the package has."""
    rows: list[dict[str, Any]] = []
    for schedule in ("shift", "sequential"):
        for precision in ("fp32", "bf16", "fp8"):
            row: dict[str, Any] = {"schedule": schedule, "precision": precision}
            try:
                with yanrt.Session(package, device=device, precision=precision, schedule=schedule) as session:
                    bench(session, max(2, steps // 10))  # the first steps fill caches and clocks
                    summary = bench(session, steps)
                total = summary["milliseconds"]["total"]
                row |= {"p50_ms": total["p50"], "p95_ms": total["p95"], "fps": summary["fps"]}
                row["memory_mb"] = round(summary["memory"]["total"] / 2**20, 1)
            except UnsupportedError as error:  # this build, chip or package does not have it
                row["unsupported"] = str(error)
            rows.append(row)
    return rows
