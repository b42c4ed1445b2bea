from tests.kernels.cases.arrays import Arrays
from tests.support.op_case import Case, expanded, permuted, sliced

a = Arrays(2)

CASES = [
    Case("copy", "dense", [a.normal(3, 5, 7)], (3, 5, 7)),
    Case("copy", "large", [a.normal(3, 5003)], (3, 5003)),
    Case("copy", "transposed", [permuted(a.normal(67, 129), 1, 0)], (129, 67)),
    Case(
        "copy", "rank-8", [permuted(a.normal(2, 1, 3, 2, 2, 1, 2, 3), 7, 1, 3, 2, 0, 5, 6, 4)], (3, 1, 2, 3, 2, 1, 2, 2)
    ),
    Case("copy", "rows", [sliced(a.normal(9, 40), 1, 3, 36)], (9, 33)),
    Case("copy", "every-third", [sliced(a.normal(9, 40), 1, 1, 40, 3)], (9, 13)),
    Case("copy", "broadcast", [expanded(a.normal(3, 1), 3, 600)], (3, 600)),
    Case("copy", "scalar", [a.normal()], ()),
    Case("copy", "i64", [permuted(a.integers(-(2**60), 2**60, 5, 7), 1, 0)], (7, 5), dtype="i64"),
    Case("copy", "i32", [a.integers(-(2**31), 2**31, 5, dtype="int32")], (5,), dtype="i32"),
    Case(
        "copy", "u8", [permuted(a.integers(0, 256, 2, 8, 12, 3, dtype="uint8"), 0, 3, 1, 2)], (2, 3, 8, 12), dtype="u8"
    ),
    Case("copy", "bool", [sliced(a.signs(7, 9), 0, 1, 7, 2)], (3, 9), dtype="bool"),
]
