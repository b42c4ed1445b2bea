"""One runtime in a process of its own, so that no pool of threads disturbs another and a crash is one failed row.

    python -m benchmarks.peers.worker PACKAGE PROGRAM RUNTIME PRECISION THREADS OUTPUTS.npz

Prints one JSON line when it is ready, `{"ok": true, "copy_ms": ...}` or `{"ok": false, "reason": "..."}`; then answers
every line it reads, a number of calls, with the milliseconds of each. RUNTIME "reference" only writes the outputs.
"""

import contextlib
import json
import os
import sys
import time
import warnings
from typing import Any

import numpy as np
import torch

from yanrt.package import Package

from .inputs import Arrays, example_arrays
from .program_module import ProgramModule
from .runtimes import Job, Unsupported, make


def main(arguments: list[str]) -> int:
    package, program, runtime, precision, threads, outputs = arguments
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a peer prints goes to stderr
    try:
        module = ProgramModule(Package.open(package), program)
        arrays = example_arrays(module)
        if runtime == "reference":
            np.savez(outputs, **reference(module, arrays, precision, int(threads)))  # type: ignore[arg-type]
            return 0
        ready = make(runtime, Job(module, program, arrays, precision, int(threads)))
        np.savez(outputs, **ready.outputs())  # type: ignore[arg-type]
        copies = 0.0 if runtime == "yanrt" else copy_milliseconds(arrays)
        print(json.dumps({"ok": True, "copy_ms": copies}), file=answers)
    except Exception as error:  # any failure of a peer is a row of the result
        reason = str(error) if isinstance(error, Unsupported) else f"{type(error).__name__}: {error}"
        print(json.dumps({"ok": False, "reason": " ".join(reason.split())[:400]}), file=answers)
        return 1
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            began = time.perf_counter()
            ready.run()
            times.append((time.perf_counter() - began) * 1e3)
        print(json.dumps(times), file=answers)
    return 0


def reference(module: ProgramModule, arrays: Arrays, precision: str, threads: int) -> dict[str, Any]:
    """Outputs of the eager module in "float64" or "float32"."""
    torch.set_num_threads(threads)
    module.dtype = getattr(torch, precision)
    module = module.to(module.dtype)
    with torch.inference_mode():
        results = module(*module.example(arrays))
    return {name: x.numpy() for name, x in zip(module.outputs, results, strict=True)}


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


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main(sys.argv[1:]))
