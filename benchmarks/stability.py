"""Does a session stay as fast, and as small? Medians of a step over windows of steps, and the memory of the process.

    python benchmarks/stability.py [doom] [--steps 20000] [--window 1000] [--precision bf16] [--json FILE]

Buttons change every few steps. A processor does not stay as fast for minutes, so a young session takes turns with the
old one, ten steps each: it begins anew with every window, from a full ring. What age costs is their difference.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from yanrt.bench import machine, write_json  # noqa: E402
from yanrt.engine import Engine  # noqa: E402
from yanrt.session import Session  # noqa: E402

TURN = 10  # steps


class Player:
    """A session that is stepped under changing buttons."""

    def __init__(self, session: Session, warmup: int) -> None:
        self.session, self.warmup = session, warmup
        self.names = session.package.actions.names

    def begin(self) -> None:
        """From a start, until the ring is full."""
        self.frames, _ = self.session.reset(0)
        self.steps = 0
        self.play(self.warmup)

    def play(self, steps: int) -> list[float]:
        """Milliseconds of each step."""
        times = []
        for _ in range(steps):
            _, info = self.session.step({self.names[self.steps // 8 % len(self.names)]}, out=self.frames)
            times.append(info["timing"]["total"])
            self.steps += 1
        return times


def main(argv: list[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    engine = Engine(arguments.model, precision=arguments.precision, threads=arguments.threads)
    old, young = (Player(Session(engine), arguments.warmup) for _ in range(2))
    old.begin()
    result: dict[str, Any] = {
        "machine": machine(),
        "engine": {key: engine.info[key] for key in ("isa", "threads", "precision")},
        "windows": [],
    }
    print(f"  {'steps':>14}{'median':>10}{'p99':>10}{'young':>10}{'ratio':>10}{'MiB':>12}   (milliseconds)")
    for first in range(0, arguments.steps, arguments.window):
        row = {"first": first, **window(old, young, min(arguments.window, arguments.steps - first))}
        result["windows"].append(row)
        numbers = "".join(f"{row[key]:>10.3f}" for key in ("median_ms", "p99_ms", "young_ms", "ratio"))
        print(f"  {first:>14}{numbers}{row['resident_mib']:>12.1f}", flush=True)
    ratios, memory = (np.array([row[key] for row in result["windows"]]) for key in ("ratio", "resident_mib"))
    result["cost_of_age"] = [float(ratios.min() - 1), float(ratios.max() - 1)]
    result["memory_growth_mib"] = float(memory[-1] - memory[0])
    low, high = result["cost_of_age"]
    print(f"old beside young: {low:+.1%} to {high:+.1%}; memory {result['memory_growth_mib']:+.1f} MiB")
    if arguments.json:
        write_json(arguments.json, result)
    return 0


def window(old: Player, young: Player, steps: int) -> dict[str, float]:
    """`steps` of both, in turns, the young one from a start of its own."""
    young.begin()
    times: tuple[list[float], list[float]] = ([], [])
    for done in range(0, steps, TURN):
        for player, taken in zip((old, young), times, strict=True):
            taken += player.play(min(TURN, steps - done))
    median, p99 = np.percentile(times[0], (50, 99)).tolist()
    other = float(np.median(times[1]))
    ratio = median / other
    return {"median_ms": median, "p99_ms": p99, "young_ms": other, "ratio": ratio, "resident_mib": resident_mib()}


def resident_mib() -> float:
    """Memory of this process that is in RAM (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="doom", help="packaged world or path (doom)")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--window", type=int, default=1000)
    parser.add_argument("--warmup", type=int, default=64, help="steps before a window, to fill the ring (64)")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--json", metavar="FILE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
