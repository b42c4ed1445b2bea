"""The pool under strain: more threads than processors, many barriers, several engines at once."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.package_builder import ProgramBuilder, bare_manifest, pack
from yanrt import _C

WIDTH, DEPTH = 256, 40


def chain() -> tuple[Any, NDArray[Any]]:
    """A package of many linear ops, a barrier after each, and its input."""
    rng = np.random.default_rng(4)
    p = ProgramBuilder()
    x = rng.standard_normal((64, WIDTH), np.float32)
    value = p.input("x", "f32", x.shape)
    weight = p.value("f32", (WIDTH, WIDTH), tensor="w")
    for _ in range(DEPTH):
        value = p.op("linear", [value, weight, -1, -1, -1], "f32", x.shape, act="none", gate_rows=1)
    p.output("y", value)
    tensors = {"w": (rng.standard_normal((WIDTH, WIDTH)) * WIDTH**-0.5).astype(np.float32)}
    return _C.Package.from_bytes(pack(bare_manifest({"run": p.build()}), tensors, checksum=_C.crc32c), "chain"), x


def run(package: Any, x: NDArray[Any], threads: int, times: int) -> list[bytes]:
    runner = _C.Engine(package, "cpu", "fp32", threads, "auto").runner()
    return [np.asarray(runner.run("run", [x])[0]).tobytes() for _ in range(times)]


@pytest.mark.parametrize("threads", [2, 5, 4 * (os.cpu_count() or 1) + 1])
def test_any_number_of_threads_gives_the_same_bytes(threads: int) -> None:
    package, x = chain()
    assert set(run(package, x, threads, times=10)) == set(run(package, x, 1, times=1))


def test_engines_run_side_by_side() -> None:
    package, x = chain()
    with ThreadPoolExecutor(3) as callers:
        results = list(callers.map(lambda threads: run(package, x, threads, times=10), [2, 2, 3]))
    assert set().union(*results) == set(run(package, x, 1, times=1))
