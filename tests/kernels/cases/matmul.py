from tests.kernels.cases.arrays import Arrays
from tests.support.op_case import Case, expanded, permuted, sliced

a = Arrays(24)


def case(name: str, lead: tuple[int, ...], m: int, k: int, n: int, transposed: int = 0) -> Case:
    b = a.normal(*lead, n, k) if transposed else a.normal(*lead, k, n)
    return Case("matmul", name, [a.normal(*lead, m, k), b], (*lead, m, n), {"transpose_b": transposed})


PLAIN, TRANSPOSED = {"transpose_b": 0}, {"transpose_b": 1}

CASES = [
    case("square", (), 16, 16, 16),
    case("odd", (), 7, 33, 19),
    case("odd-transposed", (), 7, 33, 19, 1),
    case("batch", (2, 3), 9, 20, 70),
    case("batch-transposed", (2, 3), 9, 21, 70, 1),
    case("one-row", (4,), 1, 30, 40),
    case("one-column", (4,), 30, 40, 1),
    case("one-k", (3,), 5, 1, 6),
    case("many-rows", (), 150, 24, 40),
    case("wide", (), 5, 300, 130, 1),
    Case("matmul", "a-permuted", [permuted(a.normal(5, 2, 16), 1, 0, 2), a.normal(2, 16, 9)], (2, 5, 9), PLAIN),
    Case("matmul", "b-permuted", [a.normal(2, 5, 16), permuted(a.normal(9, 2, 16), 1, 0, 2)], (2, 5, 9), TRANSPOSED),
    Case("matmul", "b-by-columns", [a.normal(2, 5, 16), permuted(a.normal(2, 9, 16), 0, 2, 1)], (2, 5, 9), PLAIN),
    Case("matmul", "b-shared", [a.normal(3, 5, 8), expanded(a.normal(1, 8, 6), 3, 8, 6)], (3, 5, 6), PLAIN),
    Case("matmul", "slices", [sliced(a.normal(2, 5, 40), 2, 8, 24), a.normal(2, 16, 9)], (2, 5, 9), PLAIN),
]
