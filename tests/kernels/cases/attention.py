from typing import Any

import numpy as np

from tests.kernels.cases.arrays import Array, Arrays
from tests.support.op_case import Case, Operand, expanded, permuted, sliced

a = Arrays(8)


def case(
    name: str,
    outer: tuple[int, ...],
    queries: int,
    keys: int,
    heads: int,
    d: int,
    mask: Operand | Array | None = None,
    **attrs: Any,
) -> Case:
    q = a.normal(*outer, queries, heads, d)
    k, v = a.normal(*outer, keys, heads, d), a.normal(*outer, keys, heads, d)
    return Case("attention", name, [q, k, v, mask], q.shape, {"scale": d**-0.5, "causal": 0, **attrs})


def padding_mask(keys: int, visible: int) -> Array:
    return np.where(np.arange(keys) < visible, 0, -np.inf).astype(np.float32)


def from_one_projection() -> Case:
    """q, k, v are slices of one [L, 3, H, D], as a fused projection makes them."""
    parts = [
        Operand(x.array, (x.views[0],)) for x in (sliced(a.normal(9, 3 * 4, 16), 1, 4 * i, 4 * i + 4) for i in range(3))
    ]
    return Case("attention", "slices", [*parts, None], (9, 4, 16), {"scale": 0.25, "causal": 0})


CASES = [
    case("usual", (2,), 40, 40, 3, 64),
    case("no-batch", (), 5, 9, 2, 16),
    case("two-batch-dims", (2, 3), 7, 6, 2, 8),
    case("odd-width", (1,), 10, 11, 3, 13),
    case("odd-keys", (1,), 4, 33, 1, 32),
    case("one-key", (2,), 50, 1, 2, 24),
    case("wide-head", (1,), 9, 20, 1, 130),
    case("wide-head-on-tensor-cores", (1,), 70, 67, 1, 104),
    case("query-blocks", (1,), 101, 70, 1, 32),
    case("key-blocks", (1,), 13, 1100, 1, 16),
    case("large-logits", (1,), 20, 20, 2, 16, scale=3.0),
    case("causal", (1,), 65, 65, 2, 16, causal=1),
    case("causal-with-past", (2,), 5, 12, 2, 16, causal=1),
    case("causal-key-blocks", (1,), 600, 600, 1, 8, causal=1),
    case("mask", (2,), 6, 10, 3, 16, a.normal(2, 3, 6, 10)),
    case("mask-by-key", (2,), 6, 10, 3, 16, padding_mask(10, 7)),
    case("mask-by-head", (2,), 6, 10, 3, 16, a.normal(3, 1, 1)),
    case("mask-strided", (1,), 6, 10, 2, 16, permuted(a.normal(10, 6), 1, 0)),
    case("mask-expanded", (1,), 6, 10, 2, 16, expanded(a.normal(1, 10), 6, 10)),
    case("mask-causal", (1,), 8, 8, 2, 16, a.normal(8, 8), causal=1),
    case("mask-first-key-block", (1,), 5, 600, 1, 8, np.where(np.arange(600) < 520, -np.inf, 0).astype(np.float32)),
    case(
        "sees-nothing", (1,), 3, 5, 1, 8, np.where(np.arange(3)[:, None] == 1, -np.inf, np.zeros(5)).astype(np.float32)
    ),
    from_one_projection(),
    Case(
        "attention",
        "heads-first",
        [permuted(a.normal(2, 3, n, 16), 0, 2, 1, 3) for n in (7, 12, 12)] + [None],
        (2, 7, 3, 16),
        {"scale": 0.25, "causal": 0},
    ),
]
