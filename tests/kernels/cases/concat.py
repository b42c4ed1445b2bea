from tests.kernels.cases.arrays import Arrays
from tests.support.op_case import Case, expanded, permuted

a = Arrays(3)

CASES = [
    Case("concat", "one", [a.normal(3, 5)], (3, 5), {"dim": 1}),
    Case("concat", "outer", [a.normal(2, 5), a.normal(1, 5), a.normal(4, 5)], (7, 5), {"dim": 0}),
    Case("concat", "inner", [a.normal(3, 2), a.normal(3, 7)], (3, 9), {"dim": 1}),
    Case("concat", "middle", [a.normal(2, 3, 17), a.normal(2, 1, 17)], (2, 4, 17), {"dim": 1}),
    Case("concat", "strided", [permuted(a.normal(5, 3), 1, 0), expanded(a.normal(1, 2), 3, 2)], (3, 7), {"dim": 1}),
    Case("concat", "large", [a.normal(2, 3000), a.normal(3, 3000)], (5, 3000), {"dim": 0}),
    Case("concat", "u8", [a.integers(0, 256, 2, 3, dtype="uint8")] * 2, (2, 6), {"dim": 1}, "u8"),
    Case("concat", "i64", [a.integers(-9, 9, 4), a.integers(-9, 9, 1)], (5,), {"dim": 0}, "i64"),
]
