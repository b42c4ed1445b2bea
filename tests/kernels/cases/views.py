from tests.kernels.cases.arrays import Arrays
from tests.support.op_case import Case, expanded, permuted, sliced

a = Arrays(1)

RESHAPE = [
    Case("reshape", "split", [a.normal(6, 35)], (2, 3, 5, 7), {"shape": [2, 3, 5, 7]}),
    Case("reshape", "of-permuted", [permuted(a.normal(3, 4, 5), 2, 0, 1)], (15, 4), {"shape": [15, 4]}),
    Case("reshape", "to-scalar", [a.normal(1, 1)], (), {"shape": []}),
]
PERMUTE = [
    Case("permute", "swap", [a.normal(17, 33)], (33, 17), {"dims": [1, 0]}),
    Case("permute", "nhwc", [a.normal(2, 3, 5, 7)], (2, 5, 7, 3), {"dims": [0, 2, 3, 1]}),
    Case("permute", "u8", [a.integers(0, 256, 2, 3, 5, dtype="uint8")], (5, 2, 3), {"dims": [2, 0, 1]}, "u8"),
]
SLICE = [
    Case("slice", "outer", [a.normal(7, 9)], (3, 9), {"dim": 0, "start": 2, "stop": 5, "step": 1}),
    Case("slice", "inner-step", [a.normal(4, 11)], (4, 4), {"dim": 1, "start": 1, "stop": 11, "step": 3}),
    Case("slice", "i64", [a.integers(-9, 9, 10)], (5,), {"dim": 0, "start": 1, "stop": 10, "step": 2}, "i64"),
]
EXPAND = [
    Case("expand", "leading", [a.normal(5)], (3, 5), {"shape": [3, 5]}),
    Case("expand", "middle", [a.normal(2, 1, 7)], (2, 3, 7), {"shape": [2, 3, 7]}),
    Case("expand", "of-sliced", [sliced(a.normal(4, 6), 1, 2, 3)], (4, 5), {"shape": [4, 5]}),
    Case("expand", "of-expanded", [expanded(a.normal(1, 3), 2, 3)], (5, 2, 3), {"shape": [5, 2, 3]}),
]
