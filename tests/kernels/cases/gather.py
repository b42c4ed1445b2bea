import numpy as np

from tests.kernels.cases.arrays import Arrays
from tests.support.op_case import Case

a = Arrays(5)

CASES = [
    Case("gather", "rows", [a.normal(11, 7), a.integers(0, 11, 4)], (4, 7)),
    Case("gather", "matrix", [a.normal(5, 33), a.integers(0, 5, 3, 2)], (3, 2, 33)),
    Case("gather", "scalar", [a.normal(5, 3), np.array(4)], (3,)),
    Case("gather", "clamped", [a.normal(4, 2), np.array([-(2**40), -1, 0, 3, 4, 2**40])], (6, 2)),
    Case("gather", "many", [a.normal(9, 64), a.integers(0, 9, 150)], (150, 64)),
    Case("gather", "u8", [a.integers(0, 256, 6, 3, dtype="uint8"), a.integers(0, 6, 5)], (5, 3), dtype="u8"),
    Case("gather", "i64", [a.integers(-9, 9, 3, 2), a.integers(0, 3, 5)], (5, 2), dtype="i64"),
]
