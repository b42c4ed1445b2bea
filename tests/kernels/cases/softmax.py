import numpy as np

from tests.kernels.cases.arrays import Array, Arrays
from tests.support.op_case import Case, permuted, sliced

a = Arrays(22)


def masked(x: Array, row: int, first: int) -> Array:
    x[row, first:] = -np.inf
    return x


CASES = [
    Case("softmax", "rows", [a.normal(5, 33)], (5, 33)),
    Case("softmax", "batch", [a.normal(2, 3, 4, 64)], (2, 3, 4, 64)),
    Case("softmax", "narrow", [a.normal(70, 3)], (70, 3)),
    Case("softmax", "one", [a.normal(4, 1)], (4, 1)),
    Case("softmax", "vector", [a.normal(130)], (130,)),
    Case("softmax", "many-rows", [a.normal(300, 40)], (300, 40)),
    Case("softmax", "large", [a.normal(3, 20, scale=60.0)], (3, 20)),
    Case("softmax", "masked", [masked(a.normal(4, 19), 1, 5)], (4, 19)),
    Case("softmax", "all-masked", [masked(a.normal(4, 19), 2, 0)], (4, 19)),
    Case("softmax", "rows-of-a-slice", [sliced(a.normal(6, 80), 1, 8, 72)], (6, 64)),
    Case("softmax", "permuted", [permuted(a.normal(8, 5), 1, 0)], (5, 8)),
]
