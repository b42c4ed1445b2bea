"""A whole world on the device: each step and a free run against the CPU, and how fast it is with one thing changed at a
time."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import yanrt
from tests.conftest import relative_errors
from yanrt.ablate import VARIANTS, Variant, ablate

SCHEDULE = "shift"


@dataclass(frozen=True)
class Limits:
    relative: float  # RMS of the error of a step's latent and of the states after it
    decoded: int  # of 255: frames of the same latent
    played: int  # of 255: frames of a free run

    def hold(self, worst: Mapping[str, float]) -> bool:
        """For what `follows` returns."""
        return max(worst["latent"], worst["state"]) < self.relative and worst["frames"] <= self.decoded


# Two instruction sets of the CPU, over the packaged world: 5e-7 and 1 of 255 in fp32, 4e-3 and 2 of 255 in bf16.
LIMITS = {"fp32": Limits(1e-5, 2, 2), "bf16": Limits(2e-2, 2, 6)}


def _held(package: yanrt.Package, step: int) -> set[str]:
    """One button after another, each for three steps."""
    return {package.actions.names[step // 3 % len(package.actions.names)]}


def _difference(actual: NDArray[Any], expected: NDArray[Any]) -> float:
    """Bytes: the largest difference. Floats: the RMS of the error, relative."""
    if expected.dtype == np.uint8:
        return float(np.abs(actual.astype(int) - expected.astype(int)).max())
    return relative_errors(actual, expected.astype(np.float64))[0]


def follows(cpu_engine: yanrt.Engine, gpu_engine: yanrt.Engine, steps: int) -> dict[str, float]:
    """The largest difference of each output of a step ("latent", "frames") and of the states after it ("state").

    Both sides take every phase from the CPU's state and inputs: what differs is one program's rounding, not what it
    leads to. Raises ValueError if an output is the same everywhere or never changes: such a world hides every mistake.
    """
    cpu, gpu, opened = cpu_engine.runner(), gpu_engine.runner(), cpu_engine.package
    phases: list[Mapping[str, Any]] = opened.manifest["schedules"][SCHEDULE]["on_step"]
    cpu.reset(7)
    worst = {"state": 0.0}
    last: dict[str, NDArray[Any]] = {}
    for step in range(steps):
        for name in cpu.state:
            gpu.state[name] = cpu.state[name]
        encoded = opened.actions.encode(_held(opened, step), opened.temporal_factor, opened.batch)
        slots: dict[str, NDArray[Any]] = {"action": np.asarray(encoded)}
        for phase in phases:
            inputs = {port: slots[slot] for port, slot in phase["in"].items()}
            ours, theirs = (runner.program(phase["program"]) for runner in (cpu, gpu))
            for port, expected, actual in zip(ours.outputs, ours(**inputs), theirs(**inputs), strict=True):
                slot = phase["out"][port]
                slots[slot] = expected
                worst[slot] = max(worst.get(slot, 0.0), _difference(actual, expected))
                if np.ptp(expected) == 0 or (slot in last and np.array_equal(last[slot], expected)):
                    raise ValueError(f"step {step} of {opened.name}: {slot} is flat, or that of the step before")
                last[slot] = expected
        worst["state"] = max(worst["state"], *(_difference(gpu.state[n], cpu.state[n]) for n in cpu.state))
    return worst


def plays_as(cpu: yanrt.Engine, gpu: yanrt.Engine, steps: int) -> float:
    """The largest difference in bytes of the frames of two sessions, each going on from what it made itself. The device
    is given its steps ahead, as many as it takes."""
    played = []
    for engine in (cpu, gpu):
        with yanrt.Session(engine, schedule=SCHEDULE) as session:
            frames = [session.reset(seed=3)[0].copy()]
            for step in range(steps):
                if step >= session.depth:
                    frames.append(session.collect()[0].copy())
                session.submit(_held(session.package, step))
            frames += [session.collect()[0].copy() for _ in range(min(session.depth, steps))]
        played.append(np.stack(frames))
    return _difference(played[1], played[0])


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
