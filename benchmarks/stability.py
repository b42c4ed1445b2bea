"""Does a session stay as fast, and as small? Medians of a step over windows of steps, and the memory of the process.

    python benchmarks/stability.py [doom] [--steps 20000] [--window 1000] [--precision bf16] [--json FILE]

The first window, which begins when the ring is full, is the measure of the others. Buttons change every few steps.
On a busy machine the medians say little; with `--threads 1` the processor time of a step (`cpu`) still does.
"""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from yanrt.bench import machine, write_json  # noqa: E402
from yanrt.session import Session  # noqa: E402


def main(argv: list[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    session = Session(arguments.model, precision=arguments.precision, threads=arguments.threads)
    names = session.package.actions.names
    frames, _ = session.reset(0)
    for _ in range(arguments.warmup):
        session.step(out=frames)
    result: dict[str, Any] = {
        "machine": machine(),
        "engine": {key: session.engine.info[key] for key in ("isa", "threads", "precision")},
        "window": arguments.window,
        "windows": [],
    }
    print(f"  {'steps':>14}{'median':>10}{'p99':>10}{'cpu':>10}{'MiB':>12}   (milliseconds; all threads)")
    for first in range(0, arguments.steps, arguments.window):
        times = []
        for step in range(first, min(first + arguments.window, arguments.steps)):
            cpu = time.process_time()
            _, info = session.step({names[step // 8 % len(names)]}, out=frames)
            times.append((info["timing"]["total"], (time.process_time() - cpu) * 1e3))
        (median, cpu_median), (p99, _) = np.percentile(times, (50, 99), axis=0).tolist()
        row = {"first": first, "median_ms": median, "p99_ms": p99, "cpu_ms": cpu_median, "resident_mib": resident_mib()}
        result["windows"].append(row)
        print(f"  {first:>14}{median:>10.3f}{p99:>10.3f}{cpu_median:>10.3f}{row['resident_mib']:>12.1f}", flush=True)
    medians, memory = (np.array([row[key] for row in result["windows"]]) for key in ("median_ms", "resident_mib"))
    result["median_drift"] = [float(medians.min() / medians[0] - 1), float(medians.max() / medians[0] - 1)]
    result["memory_growth_mib"] = float(memory[-1] - memory[0])
    low, high = result["median_drift"]
    print(f"medians {low:+.1%} to {high:+.1%} of the first window; memory {result['memory_growth_mib']:+.1f} MiB")
    if arguments.json:
        write_json(arguments.json, result)
    return 0


def resident_mib() -> float:
    """Memory of this process that is in RAM (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="doom", help="packaged world or path (doom)")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--window", type=int, default=1000)
    parser.add_argument("--warmup", type=int, default=64, help="steps before the first window, to fill the ring (64)")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--json", metavar="FILE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
