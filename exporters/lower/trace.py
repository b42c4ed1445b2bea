"""torch.export with static shapes, and the refusal of what is not static."""

from typing import Any

import torch
from torch import nn
from torch.export import ExportedProgram
from torch.fx import Node
from torch.utils import _pytree as pytree

from .registry import UnsupportedError

# Ops that the runtime has whole; the others are decomposed to torch's core set.
_KEPT = (
    "linear", "matmul", "layer_norm", "rms_norm", "group_norm", "scaled_dot_product_attention", "gelu",
    "silu", "relu", "mish", "hardswish", "hardsigmoid", "embedding", "pixel_shuffle", "pixel_unshuffle",
    "conv1d", "conv2d", "conv3d", "avg_pool2d", "max_pool2d", "adaptive_avg_pool2d", "upsample_nearest2d",
    "_upsample_nearest_exact2d", "upsample_bilinear2d", "upsample_bicubic2d", "_upsample_bilinear2d_aa",
    "_upsample_bicubic2d_aa", "roll", "select_scatter",
)  # fmt: skip


class DynamicModelError(ValueError):
    """torch.export cannot trace the module with fixed shapes: its course, or a shape, depends on data."""


def trace(name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ExportedProgram:
    """The program of `module` in evaluation, decomposed to what exporters/lower lowers. Raises DynamicModelError."""
    table = torch.export.default_decompositions()
    for op in list(table):
        base, _, overload = str(op).removeprefix("aten.").partition(".")
        if base in _KEPT and overload in ("default", "vec"):
            table.pop(op)
    try:
        with torch.no_grad():
            program: ExportedProgram = torch.export.export(module.eval(), args, kwargs)
            decomposed: ExportedProgram = program.run_decompositions(table)
            return decomposed
    except (torch._dynamo.exc.UserError, torch.fx.experimental.symbolic_shapes.GuardOnDataDependentSymNode) as error:
        raise DynamicModelError(
            f"{name}: torch.export cannot trace the module, because what it does depends on the values of tensors. A "
            "package holds one fixed sequence of ops: replace `if` and `while` over tensors by torch.where or a fixed "
            "number of steps, and results of variable length by masks; another shape or batch is another program "
            f"(`programs=`). torch says:\n{_first_lines(str(error))}"
        ) from error


def _first_lines(text: str, count: int = 12) -> str:
    return "\n".join(f"  {line}" for line in text.strip().splitlines()[:count])


def check_static(node: Node) -> None:
    """UnsupportedError if a shape, or a number outside tensors, depends on data."""
    for value in pytree.tree_leaves(node.meta.get("val")):
        if isinstance(value, torch.SymInt | torch.SymFloat | torch.SymBool):
            raise UnsupportedError("a number that depends on the values of tensors; shapes must be fixed")
        if isinstance(value, torch.Tensor) and not all(isinstance(extent, int) for extent in value.shape):
            raise UnsupportedError(f"a shape that depends on the values of tensors: {list(value.shape)}")


def evaluate(target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """An op over constants, by torch. Memory that nothing has written yet is zero: a package is the same each time."""
    with torch.no_grad():
        result = target(*args, **kwargs)
    return result.zero_() if str(target).startswith("aten.empty") else result


def draws_numbers(target: Any) -> bool:
    """True for an op that draws random numbers, or may (attention with dropout)."""
    return torch.Tag.nondeterministic_seeded in getattr(target, "tags", ())
