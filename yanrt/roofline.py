"""`yanrt estimate`: will a package fit a device, and how fast would it play there? From the plan, nothing runs.

Exact operations and bytes of every op (csrc/runtime/cost.h) over what the device does at best, times the share of that
best which good kernels reach; the exponentials of a softmax, which no tensor core computes, come on top.
docs/profiling.md says how far this was off on the processors it was checked on, and where the figures are from.
"""

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from yanrt import _C
from yanrt.cost import Ceiling, OpCost, costs_of
from yanrt.engine import MemoryUse
from yanrt.errors import ArgumentError, UnsupportedError
from yanrt.package import Package

_STRIDE = 32  # pixels a token has on a side


@dataclass(frozen=True)
class Device:
    """`ceiling` in operations and bytes a second, dense, sums in f32; `memory` in bytes (0: not bounded by a card).

    `reach` and `reach_memory` are the shares of the ceiling that are assumed of products of matrices and of everything
    else; an exponential takes as long as `exponential` f32 operations; `overlaps`: bytes arrive while others are
    computed with; `near` is the bytes a second of what passes from op to op (0: as of all else); `launch` is what an op
    costs besides, in seconds (a node of a captured graph, a barrier of threads).
    """

    name: str
    ceiling: Ceiling
    memory: float
    precision: str
    reach: float = 0.6
    reach_memory: float = 0.75
    exponential: float = 16
    overlaps: bool = True
    near: float = 0
    launch: float = 2e-6


def _gpu(name: str, f32: float, bf16: float, fp8: float, gbytes: float, memory_gb: float) -> Device:
    operations = {"f32": f32 * 1e12, "bf16": bf16 * 1e12, "fp8": fp8 * 1e12}
    return Device(name, Ceiling(operations, gbytes * 1e9), memory_gb * 2**30, "fp8")


# TFLOP/s of plain f32, dense bf16 and dense FP8 with f32 sums, GB/s, GiB; sources in docs/profiling.md. A
# multiprocessor of any of them has 128 lanes for f32 and does 16 exponentials a clock: one takes the time of 16 of
# its operations.
GPUS = {
    device.name: device
    for device in (
        _gpu("rtx4060", 15.1, 30.2, 60.5, 272, 8),
        _gpu("rtx4090", 82.6, 165.2, 330.3, 1008, 24),
        _gpu("rtx5090", 104.8, 209.5, 419.0, 1792, 32),
        _gpu("h20", 44.0, 148.0, 296.0, 4000, 96),
        _gpu("h100", 67.0, 989.4, 1978.9, 3350, 80),
    )
}
DEVICES = ("cpu", *GPUS)


def find_device(name: str, precision: str, threads: int | None = None, memory: MemoryUse | None = None) -> Device:
    """A GPU of the table, or "cpu": this processor, its ceiling measured now, in caches as far as they hold `memory`.
    ArgumentError for another name."""
    if name == "cpu":
        count = threads or len(os.sched_getaffinity(0))
        # Weights come round once a step, what passes from op to op stays near. benchmarks/estimate_error.py finds
        # `reach` and `exponential` again: what a pair of query and key costs besides its products is packing, padded
        # blocks, mask, and a polynomial for the power.
        ceiling = Ceiling.measure(count, memory.total if memory else None)
        near = Ceiling.measure(count, memory.workspace).bytes if memory else 0
        return Device(
            "cpu", ceiling, 0, precision, reach=0.75, reach_memory=1, exponential=180, overlaps=False, near=near
        )
    if name not in GPUS:
        raise ArgumentError(f"unknown device {name!r}; there are {', '.join(DEVICES)}")
    if precision == "int8":
        raise UnsupportedError("precision 'int8' has no CUDA kernels; use fp8, which is as small")
    return replace(GPUS[name], precision=precision)


@dataclass(frozen=True)
class Estimate:
    """`seconds` of one step by op name, for a picture of `height` x `width`."""

    device: Device
    height: int
    width: int
    seconds: dict[str, float]
    flops: float
    memory: MemoryUse
    frames: int  # a step gives

    @property
    def step_seconds(self) -> float:
        return sum(self.seconds.values())

    @property
    def fps(self) -> float:
        return self.frames / self.step_seconds

    @property
    def fits(self) -> bool:
        return not self.device.memory or self.memory.total <= 0.9 * self.device.memory

    def to_dict(self) -> dict[str, Any]:
        return {
            "device": self.device.name,
            "precision": self.device.precision,
            "size": [self.height, self.width],
            "step_ms": self.step_seconds * 1e3,
            "fps": self.fps,
            "fits": self.fits,
            "memory": self.memory.to_dict(),
            "gflop_a_step": self.flops / 1e9,
            "ms_by_op": {op: seconds * 1e3 for op, seconds in self.seconds.items()},
        }


def estimate_speed(
    package: Package, device: Device, schedule: str = "shift", size: tuple[int, int] | None = None
) -> Estimate:
    """One step of `schedule`. Another `size` (height, width; multiples of 32) scales every op as its tokens grow."""
    height, width = size or (package.height, package.width)
    if size and (height % _STRIDE or width % _STRIDE):
        raise ArgumentError(
            f"size {height}x{width} must be multiples of {_STRIDE}; {_rounded(height)}x{_rounded(width)}"
        )
    growth = height * width / (package.height * package.width)
    # The plan of the CPU: shapes and fusions are those of every backend.
    engine = _C.Engine(package.native, "cpu", device.precision, 1, count_only=True)
    schedules = package.manifest["schedules"]
    if schedule not in schedules:
        raise ArgumentError(f"{package.name} has no schedule {schedule!r}; it has {', '.join(sorted(schedules))}")
    costs = [
        scaled(cost, growth) for phase in schedules[schedule]["on_step"] for cost in costs_of(engine, phase["program"])
    ]
    sizes = MemoryUse.from_native(engine.info["memory"])
    memory = MemoryUse(sizes.weights, int(sizes.workspace * growth), int(sizes.state * growth))
    flops = sum(cost.flops for cost in costs)
    return Estimate(device, height, width, seconds_by_op(costs, device), flops, memory, package.temporal_factor)


def _rounded(pixels: int) -> int:
    return max(1, round(pixels / _STRIDE)) * _STRIDE


def scaled(cost: OpCost, growth: float) -> OpCost:
    """The op on `growth` times as many tokens: operations and activations grow with them, weights do not."""
    activations, work = (cost.read - cost.weights) * growth, growth**2 if cost.quadratic else growth
    return replace(
        cost,
        flops=cost.flops * work,
        exponentials=cost.exponentials * work,
        read=activations + cost.weights,
        written=cost.written * growth,
    )


def op_seconds(cost: OpCost, device: Device) -> float:
    """The time of one op by the roofline, with what `device` reaches of it."""
    ceiling, rates = device.ceiling, device.ceiling.operations
    compute = cost.flops / (device.reach * rates[ceiling.unit(cost, device.precision)])
    compute += cost.exponentials * device.exponential / rates["f32"]
    memory = memory_seconds(cost, device)
    return (max(compute, memory) if device.overlaps else compute + memory) + device.launch


def memory_seconds(cost: OpCost, device: Device) -> float:
    """The time that the bytes of an op take to arrive and leave."""
    near = cost.bytes - cost.weights
    return (cost.weights / device.ceiling.bytes + near / (device.near or device.ceiling.bytes)) / device.reach_memory


def seconds_by_op(costs: Iterable[OpCost], device: Device) -> dict[str, float]:
    """Times of the ops, summed by op name; largest first."""
    seconds: dict[str, float] = defaultdict(float)
    for cost in costs:
        seconds[cost.op] += op_seconds(cost, device)
    return dict(sorted(seconds.items(), key=lambda item: -item[1]))


def table(result: Estimate, fps: float) -> str:
    """The estimate as text, held against `fps` frames a second."""
    device, step = result.device, result.step_seconds
    lines = [f"estimate for {device.name} ({device.precision}) at {result.width}x{result.height}: nothing was run"]
    lines.append(f"  {'op':<16}{'ms':>10}{'%':>7}")
    for op, seconds in result.seconds.items():
        lines.append(f"  {op:<16}{seconds * 1e3:>10.3f}{seconds / step:>7.1%}")
    lines.append(
        f"  {'step':<16}{step * 1e3:>10.3f}   {result.flops / 1e9:.1f} GFLOP, {result.frames} frames:"
        f" {result.fps:.1f} frames/s"
    )
    sizes = ", ".join(f"{name} {size / 2**20:.0f}" for name, size in result.memory.to_dict().items())
    room = f" of {device.memory / 2**30:.0f} GiB" if device.memory else ""
    lines.append(f"  memory, MiB     {sizes}{room}: {'fits' if result.fits else 'does not fit'}")
    needed = fps / result.fps
    if needed <= 1:
        lines.append(f"  reaches {fps:g} frames/s, {needed:.0%} busy")
    else:
        lines.append(f"  does not reach {fps:g} frames/s: that takes {needed:.1f} times this device")
    return "\n".join(lines)
