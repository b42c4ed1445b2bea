"""What a GPU does that the cases alone do not show: sums as tensor cores add them, bank conflicts, threads that stop at
any access."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import relative_errors
from tests.kernels.cases import CASES
from tests.reference.e4m3 import quantise_rows
from tests.support.op_case import Case, expected
from tests.support.run_op import run_op

sim = pytest.importorskip("yanrt._cuda_sim", reason="built without YANRT_CUDA=SIM")

Array = NDArray[Any]


@pytest.fixture(autouse=True)
def checked() -> Iterator[None]:
    sim.take_reports()
    yield
    assert sim.take_reports() == []


def run(case: Case, precision: str) -> Array:
    return run_op(case, precision, False, "auto", threads=1, device="cuda-sim")[0]


def case_of(op: str, name: str) -> Case:
    return next(case for case in CASES[op] if case.name == name)


def test_sums_of_e4m3_leave_adas_tensor_cores_in_time() -> None:
    """Ada adds E4M3 products with 13 fraction bits, cut off. 4096 products of one sign, never brought to f32, lose
    percents; every 128 of k, a few in a thousand."""
    random = np.random.default_rng(4)
    x = random.uniform(0.5, 1.5, (16, 4096)).astype(np.float32)
    weight = random.normal(0.02, 0.02, (8, 4096)).astype(np.float32)
    case = Case("linear", "one-signed", [x, weight, None, None, None], (16, 8), {"act": "none", "gate_rows": 1})
    sim.configure(order="random", seed=2, arch=89, hardware_sums=True)
    rms, _ = relative_errors(run(case, "fp8"), quantise_rows(x) @ quantise_rows(weight).T)
    assert 1e-5 < rms < 5e-3


@pytest.mark.parametrize(
    ("op", "name", "precision"),
    [
        ("linear", "160x321x320", "bf16"),
        ("linear", "160x321x320", "fp8"),
        ("conv2d", "many-pixels", "bf16"),
        ("attention", "usual", "bf16"),
        ("attention", "wide-head-on-tensor-cores", "bf16"),
        ("ring_attention", "frame-wide", "bf16"),
    ],
)
def test_fragments_are_read_without_bank_conflicts(op: str, name: str, precision: str) -> None:
    sim.configure(order="random", seed=2)
    sim.reset_stats()
    run(case_of(op, name), precision)
    stats = sim.stats()
    assert stats["shared_requests"] > 0, "no ldmatrix has run"
    assert stats["bank_conflicts"] == 0


@pytest.mark.parametrize("order", ["fifo", "lifo", "random"])
@pytest.mark.parametrize(
    ("op", "name"),
    [
        ("linear", "13x65x37"),
        ("conv2d", "usual"),
        ("attention", "causal"),
        ("ring_attention", "frame-wide"),
        ("ring_attention", "position-odd"),
        ("layer_norm", "groups-repeat"),
        ("group_norm", "usual"),
        ("softmax", "rows"),
    ],
)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_threads_may_stop_anywhere(
    op: str, name: str, precision: str, order: str, check_close: Callable[[Array, Array, str], None]
) -> None:
    case = case_of(op, name)
    sim.configure(order=order, seed=7, preempt=0.05)
    check_close(run(case, precision), expected(case, precision, False)[0], precision)
