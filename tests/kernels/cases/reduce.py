import numpy as np

from tests.kernels.cases.arrays import Array, Arrays
from tests.support.op_case import Case, Operand, permuted

a = Arrays(21)


def case(name: str, x: Array | Operand, dim: int, kind: str, dtype: str = "f32") -> Case:
    shape = list(x.seen().shape if isinstance(x, Operand) else x.shape)
    shape[dim] = 1
    return Case("reduce", f"{name}-{kind}", [x], tuple(shape), {"kind": kind, "dim": dim}, dtype)


def with_nan(x: Array) -> Array:
    x[1, 3] = np.nan
    return x


FLOATS = [
    case(name, a.normal(*shape), dim, kind)
    for kind in ("sum", "mean", "max", "min")
    for name, shape, dim in (
        ("rows", (5, 33), 1),
        ("wide-rows", (3, 200), 1),
        ("columns", (37, 70), 0),
        ("middle", (2, 19, 65), 1),
        ("pixels", (2, 150, 24), 1),
        ("one", (4, 1, 6), 1),
        ("vector", (129,), 0),
    )
]
INTEGERS = [
    case(name, a.integers(-(2**40), 2**40, *shape), dim, kind, "i64")
    for kind in ("sum", "max", "min")
    for name, shape, dim in (("i64-rows", (3, 77), 1), ("i64-columns", (77, 3), 0))
]

CASES = [
    *FLOATS,
    *INTEGERS,
    case("permuted", permuted(a.normal(7, 4, 9), 0, 2, 1), 1, "mean"),
    case("far-from-zero", a.normal(2, 5000, mean=100.0), 1, "mean"),
    case("nan", with_nan(a.normal(3, 90)), 1, "max"),
    case("nan-in-columns", with_nan(a.normal(3, 9)), 0, "min"),
]
