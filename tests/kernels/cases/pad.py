from tests.kernels.cases.arrays import Arrays
from tests.support.op_case import Case, permuted

a = Arrays(4)

CASES = [
    Case("pad", "image", [a.normal(1, 5, 6, 3)], (1, 8, 10, 3), {"pads": [0, 0, 1, 2, 3, 1, 0, 0], "value": 0.0}),
    Case("pad", "inner", [a.normal(4, 5)], (4, 9), {"pads": [0, 0, 1, 3], "value": -1.5}),
    Case("pad", "before", [a.normal(2, 3, 4)], (4, 3, 4), {"pads": [2, 0, 0, 0, 0, 0], "value": 0.0}),
    Case("pad", "nothing", [a.normal(3, 4)], (3, 4), {"pads": [0, 0, 0, 0], "value": 9.0}),
    Case("pad", "strided", [permuted(a.normal(7, 5), 1, 0)], (6, 8), {"pads": [1, 0, 0, 1], "value": 2.0}),
    Case("pad", "large", [a.normal(70, 99)], (72, 101), {"pads": [1, 1, 1, 1], "value": 0.5}),
    Case("pad", "vector", [a.normal(5)], (9,), {"pads": [2, 2], "value": 1.0}),
    Case("pad", "u8", [a.integers(0, 256, 2, 3, dtype="uint8")], (3, 4), {"pads": [0, 1, 1, 0], "value": 255.0}, "u8"),
    Case("pad", "i64", [a.integers(-9, 9, 3)], (5,), {"pads": [1, 1], "value": -7.0}, "i64"),
    Case("pad", "i32", [a.integers(-9, 9, 3, dtype="int32")], (4,), {"pads": [0, 1], "value": -7.0}, "i32"),
    Case("pad", "bool", [a.signs(3)], (4,), {"pads": [0, 1], "value": 1.0}, "bool"),
]
