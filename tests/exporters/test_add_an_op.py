"""Follows docs/add_an_op.md: runs its Python, looks for its C++ in the tree, and for every file it names."""

import re
from pathlib import Path

import pytest
import torch

import exporters
import yanrt
from exporters.ir.table import op_table
from exporters.lower import UnsupportedOpsError
from exporters.lower.registry import handlers, without

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/add_an_op.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_lowering_of_the_page_works(tmp_path, check_close):
    model, lowering = blocks("python")
    names: dict[str, object] = {"__name__": "add_an_op"}
    exec(model, names)
    x = torch.rand(3, 5) * 0.9 + 0.05
    module = names["Model"]()  # type: ignore[operator]
    with pytest.raises(UnsupportedOpsError) as caught:
        exporters.export(module, (x,), tmp_path / "m.safetensors", weights="f32")
    assert {problem.op for problem in caught.value.problems} == {"aten.atanh.default"}
    assert "docs/add_an_op.md" in str(caught.value)
    before = set(handlers())
    exec(lowering, names)
    added = set(handlers()) - before
    try:
        exporters.export(module, (x,), tmp_path / "m.safetensors", weights="f32")
    finally:
        without(added)
    (y,) = yanrt.Engine(tmp_path / "m.safetensors", precision="fp32", threads=1).runner().program("forward")(x.numpy())
    check_close(y, module(x).numpy(), "fp32")


@pytest.mark.parametrize("block", blocks("cpp"), ids=lambda text: text.splitlines()[0].removeprefix("// "))
def test_the_page_quotes_the_tree(block):
    first, _, code = block.partition("\n")
    assert code.strip()
    assert code in (ROOT / first.removeprefix("// ")).read_text()


def test_files_of_the_page_exist():
    named = re.findall(r"`((?:csrc|exporters|tests|docs)/[\w/.]*)`", PAGE)
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize(
    "file", ["csrc/program/shape_rules.cpp", "tests/reference/ops.py", "tests/kernels/cases/__init__.py"]
)
def test_every_op_has_its_line(file):
    text = (ROOT / file).read_text()
    assert [name for name in op_table() if f'"{name}"' not in text] == []
