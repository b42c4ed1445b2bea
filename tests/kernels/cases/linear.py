from tests.kernels.cases.arrays import Arrays
from tests.support.op_case import Case, Operand, expanded, sliced

a = Arrays(10)


def case(
    name: str,
    outer: tuple[int, ...],
    k: int,
    n: int,
    *,
    act: str = "none",
    bias: bool = False,
    gate: int = 0,
    gate_rows: int = 1,
    residual: bool = False,
    x: Operand | None = None,
) -> Case:
    """x [*outer, k] -> y [*outer, n]; `gate` is the number of its entries."""
    y = (*outer, n)
    operands = [
        x or a.normal(*outer, k),
        a.normal(n, k, scale=k**-0.5),
        a.normal(n) if bias else None,
        a.normal(gate, n) if gate else None,
        a.normal(*y) if residual else None,
    ]
    return Case("linear", name, operands, y, {"act": act, "gate_rows": gate_rows})


# Around the sizes of the tiles: 4 or 6 rows; panels of 8, 16 or 64 columns; pairs of k.
EDGES = [
    case(f"{m}x{n}x{k}", (m,), k, n, bias=True)
    for m, n, k in [
        *[(m, 33, 20) for m in (1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 47, 48, 49, 50, 97)],
        *[(7, n, 20) for n in (1, 7, 8, 9, 15, 16, 17, 63, 64, 65, 127, 129, 200)],
        *[(7, 33, k) for k in (1, 2, 3, 15, 16, 17, 31, 32, 33, 63, 255)],
        (1, 1, 1),
        (13, 65, 37),
        (160, 321, 320),
        (9, 80, 1280),
        (5, 70, 2051),
        (8, 17, 4100),
    ]
]

EPILOGUES = [
    case(
        "-".join([act, *(["bias"] if bias else []), *(["gate"] if gate else []), *(["residual"] if residual else [])]),
        (2, 7),
        19,
        70,
        act=act,
        bias=bias,
        gate=gate,
        gate_rows=3,
        residual=residual,
    )
    for act in ("none", "gelu", "gelu_tanh", "silu", "relu")
    for bias in (False, True)
    for gate in (0, 2)
    for residual in (False, True)
]

CASES = [
    *EDGES,
    *EPILOGUES,
    case("vector", (), 24, 40, bias=True),
    case("many-outer", (2, 3, 1, 5), 24, 40, residual=True),
    case("gate-a-row", (9,), 16, 24, gate=9, residual=True),
    case("gate-for-all", (9,), 16, 24, gate=1, gate_rows=4),
    case("gate-repeats", (3, 8), 16, 24, gate=2, gate_rows=4, residual=True),
    case("rows-of-a-slice", (13,), 32, 40, bias=True, x=sliced(a.normal(13, 96), 1, 32, 64)),
    case("rows-at-odd-distance", (13,), 32, 40, x=sliced(a.normal(13, 37), 1, 3, 35)),
    case("every-other-row", (7,), 18, 20, x=sliced(a.normal(14, 18), 0, 0, 14, 2)),
    case("one-row-repeated", (6,), 30, 20, x=expanded(a.normal(1, 30), 6, 30)),
]
