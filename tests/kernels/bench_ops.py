"""Speed of every kernel on the largest of the cases that test its correctness: `make bench`.

    python -m pytest tests/kernels/bench_ops.py --benchmark-enable [-k linear]

pytest-benchmark times one call of a program around the op, on one thread. Beside that the profiler times the op alone;
from that come GFLOP/s, GB/s and the share of the ceiling, which is measured in the same run. The rows are printed at
the end and written to out/bench_ops.json. (The name keeps this file out of `make test`.)
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.kernels.cases import CASES
from tests.support.op_case import OPS, Case
from tests.support.run_op import package
from yanrt import _C
from yanrt.cost import Ceiling, costs_of
from yanrt.engine import PRECISIONS

RESULT = Path(__file__).parents[2] / "out/bench_ops.json"
LARGEST = 4  # cases of an op
RUNS = 50


def size(case: Case) -> int:
    return sum(operand.array.size for i in range(len(case.operands)) if (operand := case.operand(i)))


# Views are no kernels: nothing of them is left in a plan.
CHOSEN = [
    case
    for op, cases in CASES.items()
    if not OPS[op]["view"]
    for case in sorted(cases, key=size, reverse=True)[:LARGEST]
]


@pytest.fixture(scope="session")
def ceiling() -> Ceiling:
    return Ceiling.measure(1)


@pytest.fixture(scope="session")
def rows(pytestconfig: pytest.Config) -> Iterator[list[dict[str, Any]]]:
    """Collects the results; prints and writes them when all have run."""
    found: list[dict[str, Any]] = []
    yield found
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=1))
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    assert capture
    with capture.global_and_fixture_disabled():
        print(f"\n{'case':<44}{'precision':<10}{'us':>10}{'GFLOP/s':>9}{'GB/s':>8}{'ceiling':>9}  kernel")
        for row in found:
            print(
                f"{row['case']:<44}{row['precision']:<10}{row['us']:>10.2f}{row['gflops']:>9.1f}{row['gbytes']:>8.1f}"
                f"{row['share']:>9.0%}  {row['kernel']}"
            )


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("case", CHOSEN, ids=str)
def test_speed(
    case: Case, precision: str, benchmark: Callable[..., Any], ceiling: Ceiling, rows: list[dict[str, Any]]
) -> None:
    engine = _C.Engine(package(case, precision != "fp32"), "cpu", precision, 1)
    runner, inputs = engine.runner(), []
    for i in range(len(case.operands)):
        operand = case.operand(i)
        if operand is not None and case.role(i) == "ring":
            runner.set_state(f"x{i}", np.asarray(operand.array, order="C"))
        elif operand is not None and case.role(i) != "weight":
            inputs.append(np.asarray(operand.array, order="C"))
    benchmark(runner.run, "run", inputs)
    costs = costs_of(engine, "run")
    index = next(i for i, cost in enumerate(costs) if cost.op == case.op)
    recorder = _C.Profile(engine, ["run"], RUNS)
    for _ in range(RUNS):
        runner.run("run", inputs)
    spans = recorder.spans("run")[:, 0, index]  # [runs, begin and end]
    seconds = max(float(np.median(spans[:, 1] - spans[:, 0])), 1.0) * 1e-9
    cost = costs[index]
    rows.append(
        {
            "case": str(case),
            "precision": precision,
            "kernel": cost.kernel,
            "us": seconds * 1e6,
            "gflops": cost.flops / seconds / 1e9,
            "gbytes": cost.bytes / seconds / 1e9,
            "share": ceiling.ideal_seconds(cost, precision)[1] / seconds,
        }
    )
