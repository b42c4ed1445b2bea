"""A step allocates nothing: counted in front of malloc, on the packaged world."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import yanrt

PACKAGE = Path(yanrt.__file__).parent
STEPS = 3
COUNT = """
import sys
from yanrt import _testing
path, schedule, precision, threads, steps = sys.argv[1:]
print(_testing.allocations_in_steps(path, schedule, precision, int(threads), int(steps)))
"""


def allocations(schedule: str, precision: str, threads: int) -> int:
    counter = next(PACKAGE.glob("libyanrt_alloc_counter*"))
    arguments = [PACKAGE / "models" / "doom.safetensors", schedule, precision, threads, STEPS]
    run = subprocess.run(
        [sys.executable, "-c", COUNT, *map(str, arguments)],
        env={**os.environ, "LD_PRELOAD": str(counter)},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(run.stdout)


@pytest.mark.parametrize("schedule", ["shift", "sequential"])
@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_step_allocates_nothing(schedule: str, precision: str, threads: int) -> None:
    assert allocations(schedule, precision, threads) == 0


def test_the_counter_counts() -> None:
    code = (
        "import ctypes; c = ctypes.CDLL(None); before = c.yanrt_allocation_count();"
        "c.malloc(ctypes.c_size_t(100)); print(c.yanrt_allocation_count() - before)"
    )
    counter = next(PACKAGE.glob("libyanrt_alloc_counter*"))
    env = {**os.environ, "LD_PRELOAD": str(counter)}
    run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert int(run.stdout) >= 1
