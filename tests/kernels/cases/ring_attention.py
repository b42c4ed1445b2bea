import numpy as np

from tests.kernels.cases.arrays import Arrays
from tests.support.op_case import Case, permuted

a = Arrays(9)

HEADS, SLOTS, HISTORY, WINDOW, COMMIT = 3, 7, 5, 4, 2


def case(
    name: str,
    scope: str,
    frames: list[int],
    first_valid: list[int],
    positions: int = 6,
    d: int = 16,
    bias: bool = True,
    commit: int = COMMIT,
    window: int = WINDOW,
    history: int = HISTORY,
) -> Case:
    batch = len(frames)
    q, k, v = (a.normal(batch, window, positions, HEADS, d) for _ in range(3))
    rings = [a.normal(batch, SLOTS, positions, HEADS, d) for _ in range(2)]
    table = a.normal(HEADS, history + window + 1) if bias else None
    attrs = {"commit": commit, "history": history, "scope": scope, "scale": d**-0.5}
    operands = [q, k, v, *rings, np.array(frames), np.array(first_valid), table]
    return Case("ring_attention", f"{scope}-{name}", operands, q.shape, attrs)


def strided(scope: str) -> Case:
    """q, k, v stored as [B, H, W, P, D]."""
    q, k, v = (permuted(a.normal(1, HEADS, WINDOW, 5, 16), 0, 2, 3, 1, 4) for _ in range(3))
    rings = [a.normal(1, SLOTS, 5, HEADS, 16) for _ in range(2)]
    attrs = {"commit": COMMIT, "history": HISTORY, "scope": scope, "scale": 0.25}
    operands = [q, k, v, *rings, np.array([20]), np.array([0]), None]
    return Case("ring_attention", f"{scope}-strided", operands, (1, WINDOW, 5, HEADS, 16), attrs)


CASES = [
    make
    for scope in ("position", "frame")
    for make in (
        case("steady", scope, [23], [0]),
        case("first-frame", scope, [0], [0]),
        case("filling", scope, [3], [0]),
        case("before-the-start", scope, [-2], [0]),
        case("nothing-exists", scope, [-4], [0]),
        case("long-before", scope, [-9], [-7]),
        case("window-grows-in", scope, [9], [11]),
        case("batch", scope, [5, -1, 100], [0, 0, 102]),
        case("no-bias", scope, [12], [0], bias=False),
        case("odd", scope, [12, 13], [0, 0], positions=5, d=21),
        case("wide", scope, [31], [0], positions=9, d=64),
        case("wider", scope, [31], [0], positions=4, d=72),
        case("no-commit", scope, [14], [0], commit=0),
        case("commit-all", scope, [14], [0], commit=3, window=3, history=4),
        case("no-history", scope, [14], [0], history=0),
        case("many-positions", scope, [14], [0], positions=51, d=8),
        strided(scope),
    )
]
