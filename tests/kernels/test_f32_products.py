"""Products in fp32, to the last bits of f32: some processors make them of parts (gemm_split_loops.h)."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.kernels.cases.attention import CASES as ATTENTION
from tests.support.op_case import Case, expected
from tests.support.run_op import run_op, runnable_isas

Array = NDArray[Any]

EPSILON = 2.0**-24  # what rounding to f32 changes at most, relatively
SMALLEST = 2.0**-126  # normal number
ISAS = pytest.mark.parametrize("isa", runnable_isas())


def linear(x: Array, weight: Array, isa: str) -> Array:
    case = Case("linear", "f32", [x, weight, None, None, None], (len(x), len(weight)), {"act": "none", "gate_rows": 1})
    with np.errstate(all="ignore"):
        return run_op(case, "fp32", False, isa, threads=1)[0]


def numbers(seed: int, *shape: int) -> Array:
    """Every bit of their mantissas is drawn; both signs, several exponents."""
    rng = np.random.default_rng(seed)
    mantissa = 1 + rng.integers(0, 1 << 23, shape) / (1 << 23)
    return (mantissa * rng.choice([-1, 1], shape) * 2.0 ** rng.integers(-3, 4, shape)).astype(np.float32)


def error_in_roundings(y: Array, x: Array, weight: Array) -> float:
    """The largest error, in units of what one rounding may change of the sum of the products' magnitudes."""
    x, weight = x.astype(np.float64), weight.astype(np.float64)
    return float((np.abs(y - x @ weight.T) / (np.abs(x) @ np.abs(weight.T)) / EPSILON).max())


@ISAS
@pytest.mark.parametrize(("rows", "k"), [(40, 1), (40, 2), (7, 3), (33, 40), (50, 700)])
def test_no_part_of_a_product_is_missing(rows: int, k: int, isa: str) -> None:
    """Without the smallest of the parts that count an error would be some hundred times as large for k = 1."""
    x, weight = numbers(1, rows, k), numbers(2, 70, k)
    assert error_in_roundings(linear(x, weight, isa), x, weight) < 6


@ISAS
def test_sums_that_cancel(isa: str) -> None:
    x, weight = numbers(3, 20, 64), numbers(4, 40, 64)
    x[:, 32:], weight[:, 32:] = -x[:, :32], weight[:, :32]
    x[:, 5], weight[:, 5] = 1e-3, 1.0
    assert error_in_roundings(linear(x, weight, isa), x, weight) < 6


@ISAS
def test_the_largest_numbers_stay_finite(isa: str) -> None:
    largest = np.finfo(np.float32).max
    x = np.array([[largest], [-largest], [np.nextafter(largest, np.float32(0))], [3.39e38]], np.float32)
    weight = np.array([[1.0], [-0.5], [0.75], [2.0**-100]], np.float32)
    y = linear(x, weight, isa)
    assert np.isfinite(y).all()
    np.testing.assert_allclose(y, x.astype(np.float64) @ weight.T.astype(np.float64), rtol=2 * EPSILON)
    beyond = linear(x, np.array([[1.5]], np.float32), isa)
    np.testing.assert_array_equal(beyond[:, 0], [np.inf, -np.inf, np.inf, np.inf])


@ISAS
@pytest.mark.parametrize("exponent", [-60, -100, -112, -125, -130, -149])
def test_tiny_numbers_lose_what_is_smaller_than_normal(exponent: int, isa: str) -> None:
    scale, k = 2.0**exponent, 40
    x, weight = (numbers(5, 10, k) * scale).astype(np.float32), numbers(6, 20, k)
    y = linear(x, weight, isa)
    products = x.astype(np.float64) @ weight.T.astype(np.float64)
    magnitudes = np.abs(x).astype(np.float64) @ np.abs(weight.T).astype(np.float64)
    lost = 4 * SMALLEST * (k + np.abs(weight.T).sum(0))  # parts of x, and products
    assert (np.abs(y - products) <= 3 * EPSILON * magnitudes + lost).all()


@ISAS
@pytest.mark.parametrize("special", [np.inf, -np.inf, np.nan])
def test_what_is_not_finite_shows_and_stays_in_its_row_and_column(special: float, isa: str) -> None:
    x, weight = numbers(7, 20, 40), numbers(8, 70, 40)
    usual = linear(x, weight, isa)
    with_row, with_column = x.copy(), weight.copy()
    with_row[3, 7] = with_column[33, 9] = special
    y = linear(with_row, with_column, isa)
    assert not np.isfinite(y[3]).any()
    assert not np.isfinite(y[:, 33]).any()
    y[3], y[:, 33] = usual[3], usual[:, 33]
    np.testing.assert_array_equal(y, usual)
    if np.isnan(special):
        assert np.isnan(linear(with_row, weight, isa)[3]).all()


@ISAS
@pytest.mark.parametrize("case", [case for case in ATTENTION if case.shape[-3] > 30], ids=str)
def test_attention_is_as_exact(case: Case, isa: str) -> None:
    y, reference = run_op(case, "fp32", False, isa, threads=1)[0], expected(case, "fp32", False)[0]
    assert np.sqrt(np.mean((y - reference) ** 2) / np.mean(reference**2)) < 5e-7
