"""How far `yanrt estimate` is off on this processor, and the two constants that its figures for a processor rest on, as
this machine would have them (docs/profiling.md).

    python benchmarks/estimate_error.py [doom] [--precisions fp32,bf16,fp8,int8] [--steps 48] [--json FILE]

One thread. A step is timed in processor time, an op by the clock, each the best of all steps, so that other work on the
machine matters little; the ceiling is the best of two measurements, before and after.
"""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from yanrt import _C, Package, Session  # noqa: E402
from yanrt.bench import machine, write_json  # noqa: E402
from yanrt.cost import OpCost, costs_of  # noqa: E402
from yanrt.engine import estimate  # noqa: E402
from yanrt.profile.record import op_bounds  # noqa: E402
from yanrt.roofline import Device, estimate_speed, find_device, memory_seconds  # noqa: E402


def step_seconds(session: Session, steps: int) -> float:
    """Processor time of the calling thread, which is the one that computes: the best step."""
    best = float("inf")
    for _ in range(steps):
        begin = time.thread_time()
        session.step()
        best = min(best, time.thread_time() - begin)
    return best


def op_seconds(session: Session, steps: int) -> list[tuple[OpCost, float]]:
    """Every op of a step with its best time."""
    phases = session.package.manifest["schedules"][session.schedule]["on_step"]
    recorder = _C.Profile(session.engine.native, [phase["program"] for phase in phases], steps)
    for _ in range(steps):
        session.step()
    recorder.stop()
    timed: list[tuple[OpCost, float]] = []
    for phase in phases:
        begin, end = op_bounds(recorder.spans(phase["program"]))
        best = (end - begin).min(0) * 1e-9
        timed += zip(costs_of(session.engine.native, phase["program"]), best.tolist(), strict=True)
    return timed


def fitted(timed: list[tuple[OpCost, float]], device: Device) -> tuple[float, float]:
    """(reach, exponential) with which the model of yanrt/roofline.py gives the measured time of all products without a
    softmax, and then of all attention."""
    ceiling, rates = device.ceiling, device.ceiling.operations

    def split(products: list[tuple[OpCost, float]]) -> tuple[float, float]:
        """(seconds at the peak of the unit, seconds that bytes and launches leave)."""
        at_peak = sum(cost.flops / rates[ceiling.unit(cost, device.precision)] for cost, _ in products)
        return at_peak, sum(t - memory_seconds(cost, device) - device.launch for cost, t in products)

    plain, rest = split([(cost, t) for cost, t in timed if cost.matrix and not cost.exponentials])
    reach = plain / rest
    softmax = [(cost, t) for cost, t in timed if cost.matrix and cost.exponentials]
    plain, rest = split(softmax)
    return reach, (rest - plain / reach) * rates["f32"] / sum(cost.exponentials for cost, _ in softmax)


def compare(model: str, precision: str, steps: int) -> dict[str, Any]:
    package = Package.open(model)
    memory = estimate(package, precision)
    before = find_device("cpu", precision, 1, memory)
    session = Session(package, precision=precision, threads=1)
    session.reset(0)
    for _ in range(8):
        session.step()
    measured, timed = step_seconds(session, steps), op_seconds(session, steps)
    after = find_device("cpu", precision, 1, memory)
    device = replace(after, ceiling=before.ceiling.best(after.ceiling), near=max(before.near, after.near))
    guess = estimate_speed(package, device, session.schedule).step_seconds
    reach, exponential = fitted(timed, device)
    return {
        "precision": precision,
        "isa": session.engine.info["isa"],
        "estimate_ms": guess * 1e3,
        "measured_ms": measured * 1e3,
        "off": guess / measured - 1,
        "gbytes_a_second": {"weights": device.ceiling.bytes / 1e9, "near": device.near / 1e9},
        "reach": reach,
        "exponential": exponential,
        "used": {"reach": device.reach, "exponential": device.exponential},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="doom")
    parser.add_argument("--precisions", default="fp32,bf16,fp8,int8")
    parser.add_argument("--steps", type=int, default=48)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = [compare(arguments.model, precision, arguments.steps) for precision in arguments.precisions.split(",")]
    print(f"{'isa':<16}{'precision':<10}{'estimate':>9}{'measured':>9}{'off':>7}   fitted: reach, exponential")
    for row in rows:
        print(
            f"{row['isa']:<16}{row['precision']:<10}{row['estimate_ms']:>9.1f}{row['measured_ms']:>9.1f}{row['off']:>+7.0%}"
            f"{row['reach']:>17.2f}{row['exponential']:>13.0f}"
        )
    print(f"(used: reach {rows[0]['used']['reach']}, exponential {rows[0]['used']['exponential']})")
    if arguments.json:
        write_json(arguments.json, {"machine": machine(), "rows": rows})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
