"""The memory planner against random lifetimes, and its checker against plans that are wrong."""

import random

import pytest

from yanrt import _testing


def random_plan(seed: int) -> tuple[list[int], list[list[int]], list[list[int]]]:
    """Sizes of buffers, and for each op the buffers it reads and writes: every buffer is written before it is read."""
    rng = random.Random(seed)
    sizes: list[int] = []
    reads: list[list[int]] = []
    writes: list[list[int]] = []
    for _ in range(rng.randint(1, 60)):
        reads.append(rng.sample(range(len(sizes)), min(len(sizes), rng.randint(0, 3))))
        made = rng.randint(1, 2)
        writes.append(list(range(len(sizes), len(sizes) + made)))
        sizes += [rng.choice([1, 63, 64, 65, 1000, 4096, 100_000]) for _ in range(made)]
    return sizes, reads, writes


def lifetimes(count: int, reads: list[list[int]], writes: list[list[int]]) -> list[tuple[int, int]]:
    used = [[i for i, (r, w) in enumerate(zip(reads, writes, strict=True)) if b in r + w] for b in range(count)]
    return [(u[0], u[-1]) for u in used]


@pytest.mark.parametrize("seed", range(100))
def test_buffers_alive_together_do_not_overlap(seed: int) -> None:
    sizes, reads, writes = random_plan(seed)
    offsets, workspace = _testing.place(sizes, reads, writes)
    alive = lifetimes(len(sizes), reads, writes)
    for a in range(len(sizes)):
        assert offsets[a] % 64 == 0
        assert offsets[a] + sizes[a] <= workspace
        for b in range(a):
            together = alive[a][0] <= alive[b][1] and alive[b][0] <= alive[a][1]
            apart = offsets[a] + sizes[a] <= offsets[b] or offsets[b] + sizes[b] <= offsets[a]
            assert apart or not together, (a, b)
    _testing.check(sizes, reads, writes, offsets, workspace)


def test_memory_is_reused() -> None:
    count = 50  # a chain: never more than two buffers alive
    sizes = [4096] * count
    _, workspace = _testing.place(sizes, [[i - 1] if i else [] for i in range(count)], [[i] for i in range(count)])
    assert workspace == 2 * 4096


@pytest.mark.parametrize(
    ("offsets", "workspace", "message"),
    [
        ([0, 0, 64], 128, "overwritten by buffer 1"),  # buffer 1 lands on buffer 0, which op 2 still reads
        ([0, 32, 128], 192, "outside the workspace"),  # not aligned
        ([0, 64, 128], 128, "outside the workspace"),  # past the end
        ([0, 64, 64], 128, "overwrites its own input"),  # op 2 writes where it reads
    ],
)
def test_checker_refuses_a_wrong_plan(offsets: list[int], workspace: int, message: str) -> None:
    sizes, reads, writes = [64, 64, 64], [[], [], [0, 1]], [[0], [1], [2]]
    _testing.check(sizes, reads, writes, [0, 64, 128], 192)
    with pytest.raises(Exception, match=message):
        _testing.check(sizes, reads, writes, offsets, workspace)


def test_checker_refuses_a_read_of_what_was_never_written() -> None:
    with pytest.raises(Exception, match="never written"):
        _testing.check([64], [[0]], [[]], [0], 64)
