"""What pruning, or another change of a world, gives: size of the package, and time of its two programs a step.

    python -m benchmarks.compare_packages before.safetensors after.safetensors [--precision bf16] [--rounds 40]

Times are the best of all rounds, in the processor time of one thread; the packages take turns, so that what else the
machine does falls on both.
"""

import argparse
import time
from pathlib import Path

import numpy as np

import yanrt

PROGRAMS = ("sim/step_shift", "vae/decode")


class Timed:
    """One package, ready to run; `best` has milliseconds by program."""

    def __init__(self, path: Path, precision: str) -> None:
        self.path = path
        engine = yanrt.Engine(path, precision=precision, threads=1)
        self.memory = engine.memory
        self.runner = engine.runner()
        self.runner.reset(0)
        actions = engine.package.manifest["state"]["window_actions"]["shape"]
        self.action = np.zeros((actions[0], *actions[2:]), np.float32)
        self.best = dict.fromkeys(PROGRAMS, float("inf"))

    def round(self) -> None:
        step, decode = (self.runner.program(name) for name in PROGRAMS)
        begin = time.thread_time()
        (latent,) = step(self.action)
        middle = time.thread_time()
        decode(latent)
        for name, spent in zip(PROGRAMS, (middle - begin, time.thread_time() - middle), strict=True):
            self.best[name] = min(self.best[name], 1e3 * spent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="+", type=Path)
    parser.add_argument("--precision", default="bf16")
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args()
    packages = [Timed(path, arguments.precision) for path in arguments.packages]
    for _ in range(arguments.rounds):
        for package in packages:
            package.round()
    print(f"{'package':24} {'MiB':>6} {'weights MiB':>11} " + " ".join(f"{name + ' ms':>18}" for name in PROGRAMS))
    for package in packages:
        size, weights = package.path.stat().st_size / 2**20, package.memory.weights / 2**20
        times = " ".join(f"{package.best[name]:18.2f}" for name in PROGRAMS)
        print(f"{package.path.stem:24} {size:6.2f} {weights:11.2f} {times}")


if __name__ == "__main__":
    main()
