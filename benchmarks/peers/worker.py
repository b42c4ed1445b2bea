"""One runtime in a process of its own, so that no pool of threads disturbs another and a crash is one failed row.

All are forked from one process that has imported the peers and started no thread (multiprocessing's fork server).
"""

import multiprocessing
import os
import signal
import threading
import time
import warnings
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np
import torch

from yanrt.package import Package

from .artefacts import artefacts_folder
from .inputs import Arrays, example_arrays
from .program_module import ProgramModule
from .runtimes import Job, Unsupported, make


@dataclass(frozen=True)
class Work:
    """What a worker is told. The runtime "reference" only writes the outputs of the eager module in float64."""

    package: str
    program: str
    runtime: str
    precision: str
    threads: int
    outputs: Path  # npz of the first call's outputs
    artefacts: Path
    log: Path  # whatever the peer prints


def serve(connection: Connection, work: Work) -> None:
    """Answers `{"copy_ms": ...}` when it is ready, or `{"failure": reason}` and ends; then every number of calls it
    receives with the milliseconds of each, until it receives None."""
    os.setpgid(0, 0)  # with its compilers: the terminal's Ctrl-C is the parent's, which ends the whole group
    threading.Thread(target=_end_with_parent, daemon=True).start()
    warnings.simplefilter("ignore")
    log = os.open(work.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        runtime, copies = _prepare(work)
    except Exception as error:  # any failure of a peer is a row of the result
        reason = str(error) if isinstance(error, Unsupported) else f"{type(error).__name__}: {error}"
        connection.send({"failure": " ".join(reason.split())[:400]})
        return
    connection.send({"copy_ms": copies})
    while runtime and (calls := connection.recv()):
        times = []
        for _ in range(calls):
            began = time.perf_counter()
            runtime.run()
            times.append((time.perf_counter() - began) * 1e3)
        connection.send(times)


def _end_with_parent() -> None:
    """Otherwise one that compiles would do so to the end, for nobody, and keep its memory."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os.killpg(0, signal.SIGKILL)


def _prepare(work: Work) -> tuple[Any, float]:
    package = Package.open(work.package)
    module = ProgramModule(package, work.program)
    arrays = example_arrays(module)
    if work.runtime == "reference":
        np.savez(work.outputs, **reference(module, arrays, work.threads))  # type: ignore[arg-type]
        return None, 0.0
    folder = artefacts_folder(package, work.program, work.artefacts)
    runtime = make(work.runtime, Job(module, work.program, arrays, work.precision, work.threads, folder))
    np.savez(work.outputs, **runtime.outputs())  # type: ignore[arg-type]
    return runtime, 0.0 if work.runtime == "yanrt" else copy_milliseconds(arrays)


def reference(module: ProgramModule, arrays: Arrays, threads: int) -> dict[str, Any]:
    """What a caller sees of the eager module in float64. Eager float32 would be no reference: who shares its products
    shares their errors."""
    torch.set_num_threads(threads)
    module.dtype = torch.float64
    module = module.to(module.dtype)
    with torch.inference_mode():
        results = module(*module.example(arrays))
    return {name: x.numpy() for name, x in zip(module.outputs, results, strict=True) if name in module.ports}


def copy_milliseconds(arrays: Arrays) -> float:
    """What a caller of a runtime without state pays to move every ring on by one frame: the oldest leaves, a new one
    enters. The median of 9."""
    rings = [array.copy() for name, array in arrays.items() if name.startswith("past.")]
    new = [ring[:, -1:].copy() for ring in rings]
    times = []
    for _ in range(9):
        began = time.perf_counter()
        for ring, frame in zip(rings, new, strict=True):
            ring[:, :-1] = ring[:, 1:]
            ring[:, -1:] = frame
        times.append((time.perf_counter() - began) * 1e3)
    return sorted(times)[len(times) // 2] if rings else 0.0
