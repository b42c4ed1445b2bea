"""The one error metric of the tests, and the one tolerance a precision."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

# (RMS of the error relative to the RMS of what is expected, largest error relative to RMS + magnitude). The references
# round and quantise alike, so what is left is the order of sums, and codes of int8 that fall to the other side.
TOLERANCE = {"fp32": (2e-6, 2e-5), "bf16": (3e-3, 3e-2), "int8": (3e-3, 5e-2), "fp8": (3e-3, 3e-2)}

Array = NDArray[Any]


def relative_errors(actual: Array, expected: Array) -> tuple[float, float]:
    """RMS error / RMS of `expected`, and the largest error / (that RMS + the magnitude expected there)."""
    if expected.size == 0:
        return 0.0, 0.0
    difference = actual.astype(np.float64) - expected
    scale = float(np.sqrt(np.mean(np.square(expected, dtype=np.float64)))) or 1.0
    return float(np.sqrt(np.mean(difference**2))) / scale, float(
        (np.abs(difference) / (scale + np.abs(expected))).max()
    )


@pytest.fixture(scope="session")
def check_close() -> Callable[[Array, Array, str], None]:
    """`check_close(actual, expected, precision)`: equal shape, infinities, NaNs, integers; errors within TOLERANCE."""

    def check(actual: Array, expected: Array, precision: str) -> None:
        assert actual.shape == expected.shape
        if not np.issubdtype(expected.dtype, np.floating):
            np.testing.assert_array_equal(actual, expected)
            return
        finite = np.isfinite(expected)
        np.testing.assert_array_equal(actual[~finite], expected[~finite].astype(actual.dtype))
        rms, largest = relative_errors(actual[finite], expected[finite])
        rms_limit, largest_limit = TOLERANCE[precision]
        assert rms <= rms_limit, f"relative RMS {rms:.2e} exceeds {rms_limit:.0e}"
        assert largest <= largest_limit, f"largest error {largest:.2e} exceeds {largest_limit:.0e}"

    return check
