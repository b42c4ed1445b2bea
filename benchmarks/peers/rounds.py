"""Interleaved rounds: all runtimes of a model are made ready, then take turns, so that a change of the clock or a busy
moment meets all of them alike."""

import contextlib
import multiprocessing
import os
import signal
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .models import BenchModel
from .runtimes import RUNTIMES
from .worker import Work, serve

_ROUND_MS = 40.0  # calls of a round are repeated to last about this long
_SLOW_MS = 100.0  # a call this long needs no warm one before it
_PREPARE_S = 900.0  # after which a peer has failed to compile the model
_Command = tuple[str, str, int]

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["benchmarks.peers.worker", "torch._dynamo", "torch._inductor"])


@dataclass
class Entry:
    """One runtime on one model: a row of the result. `times_ms` has the median of each round."""

    runtime: str
    precision: str
    threads: int
    failure: str = ""
    copy_ms: float = 0.0
    prepare_s: float = 0.0
    rel_error: float = float("nan")
    times_ms: list[float] = field(default_factory=list)
    calls: int = 1  # of a round
    rounds: int = 0  # it may take

    def __str__(self) -> str:
        return f"{self.runtime} {self.precision} x{self.threads}"


class Worker:
    """The process behind an entry."""

    def __init__(self, model: BenchModel, entry: Entry, folder: Path, artefacts: Path) -> None:
        self.entry = entry
        stem = folder / f"{entry.runtime}-{entry.precision}-{entry.threads}"
        self.path, self.log = stem.with_suffix(".npz"), stem.with_suffix(".log")
        settings = (entry.runtime, entry.precision, entry.threads)
        work = Work(model.package, model.program, *settings, self.path, artefacts, self.log)
        self.connection, other = _processes.Pipe()
        self.process = _processes.Process(target=serve, args=(other, work), daemon=True)
        began = time.perf_counter()
        self.process.start()
        other.close()
        try:
            answer = self._answer() if self.connection.poll(_PREPARE_S) else self._give_up()
        except KeyboardInterrupt:
            self._kill()
            raise
        entry.prepare_s = time.perf_counter() - began
        if answer is not None:
            entry.failure, entry.copy_ms = answer.get("failure", ""), answer.get("copy_ms", 0.0)

    def time(self, calls: int) -> list[float]:
        """Milliseconds of each of `calls` calls; nothing if the process died, which is noted in the entry."""
        with contextlib.suppress(OSError):  # the missing answer is reported
            self.connection.send(calls)
        times: list[float] | None = self._answer()
        return times or []

    def round(self) -> None:
        entry = self.entry
        warm = not entry.times_ms or entry.times_ms[-1] < _SLOW_MS  # it wakes the threads and fills the caches
        times = self.time(entry.calls + warm)[warm:]
        entry.times_ms += [float(np.median(times))] if times else []

    def _answer(self) -> Any:
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            self.process.join()
            last = (self.log.read_text(errors="replace").strip().splitlines() or ["no message"])[-1]
            self.entry.failure = f"the process ended with status {self.process.exitcode}: {last[:300]}"
            return None

    def _give_up(self) -> Any:
        self._kill()
        return {"failure": f"not ready after {_PREPARE_S:.0f} s"}

    def _kill(self) -> None:
        """The process and what it compiles with, which are a group unless it has only just begun."""
        assert self.process.pid
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()

    def close(self) -> None:
        if self.process.is_alive() and not self.entry.failure:
            self.connection.send(None)
        self.process.join()
        self.connection.close()


def measure(model: BenchModel, entries: list[Entry], rounds: int, budget_s: float, folder: Path) -> None:
    """Fills `entries`, also as far as it comes if it is interrupted. One whose first call takes so long that its rounds
    would exceed `budget_s` seconds gets fewer of them (at least 3). `folder`: of artefacts."""
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder / "inductor")  # before the fork server starts
    with tempfile.TemporaryDirectory() as temporary:
        expected = reference(model, Path(temporary), folder)
        workers: list[Worker] = []
        try:
            for number, entry in enumerate(entries, 1):
                workers.append(Worker(model, entry, Path(temporary), folder))
                outcome = f"failed: {entry.failure}" if entry.failure else f"ready in {entry.prepare_s:.1f} s"
                print(f"  [{number}/{len(entries)}] {entry}: {outcome}", flush=True)
            ready = [worker for worker in workers if not worker.entry.failure]
            for worker in ready:
                with np.load(worker.path) as outputs:
                    worker.entry.rel_error = relative_error(dict(outputs), expected)
                _warm_up(worker, rounds, budget_s)
            took = sum(w.entry.rounds * w.entry.calls * w.entry.times_ms.pop() for w in ready if w.entry.times_ms)
            print(f"  {rounds} rounds of {len(ready)}, about {took * 1e-3:.0f} s", flush=True)
            for number in range(rounds):
                for worker in ready[number % len(ready) :] + ready[: number % len(ready)] if ready else []:
                    if number < worker.entry.rounds and not worker.entry.failure:
                        worker.round()
        finally:
            for worker in workers:
                worker.close()


def _warm_up(worker: Worker, rounds: int, budget_s: float) -> None:
    """Sets the calls of a round and the number of rounds; leaves the time of a call in `times_ms`."""
    times = worker.time(1)
    if times and times[0] < _SLOW_MS:
        times = worker.time(2)
    if not times:
        return
    call = min(times)
    worker.entry.times_ms = [call]
    worker.entry.calls = max(1, min(50, round(_ROUND_MS / call)))
    each = call * worker.entry.calls * 1e-3
    worker.entry.rounds = max(min(rounds, 3), min(rounds, int(budget_s / each)))


def reference(model: BenchModel, folder: Path, artefacts: Path) -> dict[str, NDArray[Any]]:
    """What a caller sees of the eager module in float64."""
    entry = Entry("reference", "float64", 2)
    worker = Worker(model, entry, folder, artefacts)
    worker.close()
    if entry.failure:
        raise RuntimeError(f"{model.name} has no reference to compare with: {entry.failure}")
    with np.load(worker.path) as outputs:
        return dict(outputs)


def relative_error(outputs: dict[str, NDArray[Any]], expected: dict[str, NDArray[Any]]) -> float:
    """RMS of the difference over RMS of what is expected, over all that is: the same for every runtime, whatever else
    it returns."""
    missing = sorted(set(expected) - set(outputs))
    if missing:
        raise ValueError(f"nothing to compare {missing} with: the runtime returned {sorted(outputs)}")
    square = sum(np.square(outputs[n].astype(np.float64) - expected[n]).sum() for n in expected)
    scale = sum(np.square(expected[n].astype(np.float64)).sum() for n in expected)
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
