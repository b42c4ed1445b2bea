import numpy as np

from tests.support.op_case import Case

CASES = [
    Case("randn", "zero", [np.array([0]), np.array([0])], (1, 8)),
    Case("randn", "odd", [np.array([7]), np.array([3])], (1, 3, 7)),
    Case("randn", "batch", [np.array([1, 1, 2]), np.array([0, 1, 0])], (3, 5)),
    Case("randn", "wide-words", [np.array([-1, 2**62 + 12345]), np.array([2**33 + 1, -5])], (2, 6)),
    Case("randn", "latent", [np.array([42]), np.array([17])], (1, 4, 40, 16)),
    Case("randn", "one-each", [np.array([3, 4]), np.array([5, 6])], (2,)),
]
