"""Interleaved rounds: all runtimes of a model are made ready, then take turns, so that a change of the clock or a busy
moment meets all of them alike."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .models import BenchModel
from .runtimes import RUNTIMES

ROOT = Path(__file__).parents[2]
_ROUND_MS = 40.0  # calls of a round are repeated to last about this long
_LARGEST_F64 = 2e9  # operations up to which the reference is float64
_Command = tuple[str, str, int]


@dataclass
class Entry:
    """One runtime on one model: a row of the result. `times_ms` has the median of each round."""

    runtime: str
    precision: str
    threads: int
    failure: str = ""
    copy_ms: float = 0.0
    rel_error: float = float("nan")
    times_ms: list[float] = field(default_factory=list)
    calls: int = 1  # of a round


class Worker:
    """The process behind an entry."""

    def __init__(self, model: BenchModel, entry: Entry, outputs: Path) -> None:
        self.entry, self.path = entry, outputs
        arguments = [model.package, model.program, entry.runtime, entry.precision, str(entry.threads), str(outputs)]
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed with the worker
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.peers.worker", *arguments],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
        )  # fmt: skip
        answer = self._answer()
        if answer is not None and not answer["ok"]:
            entry.failure = answer["reason"]
        elif answer is not None:
            entry.copy_ms = answer["copy_ms"]

    def time(self, calls: int) -> list[float]:
        """Milliseconds of each of `calls` calls; nothing if the process died, which is noted in the entry."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(f"{calls}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the missing answer is reported
        times: list[float] | None = self._answer()
        return times or []

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        self.log.seek(0)
        last = (self.log.read().strip().splitlines() or ["no message"])[-1]
        self.entry.failure = f"the process ended with status {self.process.wait()}: {last[:300]}"
        return None

    def close(self) -> None:
        assert self.process.stdin is not None
        if self.process.poll() is None:
            self.process.stdin.close()
        self.process.wait()
        self.log.close()


def measure(model: BenchModel, flops: float, wanted: list[_Command], rounds: int, budget_s: float) -> list[Entry]:
    """`wanted` is (runtime, precision, threads) of each entry. An entry whose first call takes so long that its rounds
    would exceed `budget_s` seconds gets fewer of them (at least 3)."""
    entries = [Entry(*command) for command in wanted]
    with tempfile.TemporaryDirectory() as folder:
        expected = reference(model, flops, Path(folder) / "reference.npz")
        workers = [Worker(model, entry, Path(folder) / f"{index}.npz") for index, entry in enumerate(entries)]
        try:
            ready = [worker for worker in workers if not worker.entry.failure]
            for worker in ready:
                with np.load(worker.path) as outputs:
                    worker.entry.rel_error = relative_error(dict(outputs), expected)
            limits = {id(worker): _warm_up(worker, rounds, budget_s) for worker in ready}
            for number in range(rounds):
                for worker in ready[number % len(ready) :] + ready[: number % len(ready)] if ready else []:
                    if number < limits[id(worker)] and not worker.entry.failure:
                        times = worker.time(worker.entry.calls + 1)[1:]  # the first one wakes its threads and caches
                        worker.entry.times_ms += [float(np.median(times))] if times else []
        finally:
            for worker in workers:
                worker.close()
    return entries


def _warm_up(worker: Worker, rounds: int, budget_s: float) -> int:
    """Sets the calls of a round; returns the number of rounds it may take."""
    times = worker.time(3)
    if not times:
        return 0
    call = min(times)
    worker.entry.calls = max(1, min(50, round(_ROUND_MS / call)))
    each = call * (worker.entry.calls + 1) * 1e-3
    return max(min(rounds, 3), min(rounds, int(budget_s / each)))


def reference(model: BenchModel, flops: float, path: Path) -> dict[str, NDArray[Any]]:
    """Outputs of the eager module in float64, of the largest models in float32."""
    precision = "float64" if flops <= _LARGEST_F64 else "float32"
    arguments = [model.package, model.program, "reference", precision, "2", str(path)]
    subprocess.run([sys.executable, "-m", "benchmarks.peers.worker", *arguments], cwd=ROOT, check=True)
    with np.load(path) as outputs:
        return dict(outputs)


def relative_error(outputs: dict[str, NDArray[Any]], expected: dict[str, NDArray[Any]]) -> float:
    """RMS of the difference over RMS of what is expected, over the outputs that both have and that are no commits to
    rings: what the caller sees."""
    names = [name for name in expected if name in outputs and not name.startswith("commit.")]
    if not names:
        raise ValueError(f"nothing to compare: {sorted(outputs)} against {sorted(expected)}")
    square = sum(np.square(outputs[n].astype(np.float64) - expected[n]).sum() for n in names)
    scale = sum(np.square(expected[n].astype(np.float64)).sum() for n in names)
    return float(np.sqrt(square / scale))


def commands(threads: list[int], runtimes: list[str] | None = None) -> list[_Command]:
    """Every runtime and precision (of `runtimes` alone, if given), for each number of threads."""
    chosen = {name: RUNTIMES[name] for name in runtimes} if runtimes else RUNTIMES
    return [
        (runtime, precision, count)
        for count in threads
        for runtime, (_, precisions) in chosen.items()
        for precision in precisions
    ]
