"""No op without a reference and cases; no choice, optional operand or flag that no case uses."""

from typing import Any

import pytest

from tests.kernels.cases import CASES
from tests.reference.ops import REFERENCE
from tests.reference.pointwise import INSTRUCTIONS
from tests.support.op_case import OPS


def test_every_op_has_a_reference_and_cases() -> None:
    assert set(REFERENCE) == set(OPS)
    assert {op for op, cases in CASES.items() if cases} == set(OPS)


@pytest.mark.parametrize("op", OPS.values(), ids=lambda op: str(op["name"]))
def test_cases_use_all_there_is(op: dict[str, Any]) -> None:
    cases = CASES[op["name"]]
    assert len({case.name for case in cases}) == len(cases), "two cases of one name"
    for attr in op["attrs"]:
        assert all(attr["name"] in case.attrs for case in cases)
        assert set(attr["choices"]) <= {case.attrs[attr["name"]] for case in cases if attr["type"] == "choice"}
    for i, operand in enumerate(op["inputs"]):
        if operand["optional"] and not operand["variadic"]:
            seen = {len(case.operands) > i and case.operands[i] is not None for case in cases}
            assert seen == {True, False}, f"{operand['name']} must be given in some cases and absent in others"


def test_pointwise_cases_use_every_instruction() -> None:
    used = {line.split()[0] for case in CASES["pointwise"] for line in case.attrs["expr"]}
    assert used == set(INSTRUCTIONS)
