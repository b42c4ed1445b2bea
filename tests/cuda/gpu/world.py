"""A whole world on the device: each step against the CPU, and how fast it is with one thing changed at a time."""

from pathlib import Path
from typing import Any

import numpy as np

import yanrt
from tests.conftest import relative_errors
from yanrt.ablate import VARIANTS, Variant, ablate


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
        (expected,), (actual,) = (runner.program("sim/step_shift")(encoded) for runner in (cpu, gpu))
        worst["latent"] = max(worst["latent"], relative_errors(actual, expected.astype(np.float64))[0])
        for name in cpu.state:
            error = relative_errors(gpu.state[name], cpu.state[name].astype(np.float64))[0]
            worst["state"] = max(worst["state"], error)
    return worst


def ablation(package: str | Path, device: str, rounds: int, cublaslt: str) -> dict[str, Any]:
    """`yanrt bench --ablate` on the device: one thing less at a time; with the library `cublaslt`, both precisions with
    it too. What a package or this build does not have is a row with `failure`."""
    theirs = tuple(
        Variant(
            f"{precision}, cuBLASLt", "products by NVIDIA's library", precision=precision, gemm=f"cublaslt:{cublaslt}"
        )
        for precision in ("bf16", "fp8")
        if cublaslt
    )
    return ablate(yanrt.Package.open(package), device=device, rounds=rounds, variants=VARIANTS + theirs)
