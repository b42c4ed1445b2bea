"""The pool under strain: more threads than processors, many barriers, several engines at once, two workers on one
processor."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.package_builder import ProgramBuilder, bare_manifest, pack
from yanrt import _C, _testing

WIDTH, DEPTH = 256, 40
Result = TypeVar("Result")


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


needs_affinity = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="threads are placed on Linux only")


def usable() -> list[int]:
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) < 2:
        pytest.skip("one processor: nowhere to move to")
    return processors


def on_a_thread(call: Callable[[], Result]) -> Result:
    """Affinity is a thread's own: what `call` sets ends with it."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(call).result()


def some_time(happens: Callable[[], bool]) -> bool:
    """The system may put an unpinned thread elsewhere at any moment, the more so beside other tests."""
    return any(happens() for _ in range(20))


@needs_affinity
def test_a_worker_leaves_the_processor_of_the_caller() -> None:
    def leaves(processor: int) -> bool:
        seen: list[list[int]] = _testing.crowded_run(processor, meetings=50)
        assert all(caller == processor for caller, _ in seen)
        return seen[0][1] == processor and seen[-1][1] != processor

    for processor in usable()[:2]:
        assert some_time(partial(leaves, processor))


@needs_affinity
def test_moving_takes_a_free_processor_of_the_mask_and_leaves_the_mask() -> None:
    processors = usable()
    workers = len(processors)

    def move() -> tuple[bool, int, set[int]]:
        places = _testing.Places(workers, busy=False)
        for worker, processor in enumerate(processors[:-1]):
            os.sched_setaffinity(0, {processor})
            places.note(worker)
        os.sched_setaffinity(0, processors)
        crowded = places.crowded(workers - 1)
        return crowded, _testing.this_processor(), os.sched_getaffinity(0)

    def moves() -> bool:
        crowded, processor, mask = on_a_thread(move)
        assert (crowded, mask) == (False, set(processors))
        return processor == processors[-1]

    assert some_time(moves)


@needs_affinity
def test_where_a_move_goes() -> None:
    """Seen before the mask comes back, so that the system has no say in it."""
    processors = usable()

    def move(taken: list[int], runnable: int) -> tuple[int, set[int]]:
        went = _testing.move_to_idle(taken, runnable)
        return went, os.sched_getaffinity(0)

    for target in processors:
        taken = [processor for processor in processors if processor != target]
        assert on_a_thread(partial(move, [-1, *taken], 1)) == (target, set(processors))
        assert on_a_thread(partial(move, taken, len(processors) + 1)) == (-1, set(processors))
    assert on_a_thread(partial(move, processors, 1)) == (-1, set(processors))


@needs_affinity
@pytest.mark.parametrize("why", ["the caller never moves", "the machine is busy", "the mask has one processor"])
def test_a_worker_stays(why: str) -> None:
    processors = usable()
    worker = 0 if why == "the caller never moves" else len(processors)
    mask = processors[:1] if why == "the mask has one processor" else processors

    def stay() -> tuple[bool, set[int]]:
        places = _testing.Places(len(processors) + 1, busy=why == "the machine is busy")
        others = [other for other in range(len(processors) + 1) if other != worker]
        for other, processor in zip(others, processors, strict=True):  # a worker on each
            os.sched_setaffinity(0, {processor})
            places.note(other)
        os.sched_setaffinity(0, mask)
        return places.crowded(worker), os.sched_getaffinity(0)

    assert on_a_thread(stay) == (True, set(mask))


@needs_affinity
def test_one_asleep_may_wake_up_here() -> None:
    here, there = usable()[:2]

    def look() -> tuple[bool, bool]:
        places = _testing.Places(2, busy=False)
        os.sched_setaffinity(0, {there})
        places.note(0)
        os.sched_setaffinity(0, {here})
        crowded = places.crowded(1)
        places.leave(0)
        return crowded, places.crowded(1)

    assert on_a_thread(look) == (False, True)


@needs_affinity
def test_runnable_threads_counts_this_one() -> None:
    assert 1 <= _testing.runnable_threads() < 100_000
