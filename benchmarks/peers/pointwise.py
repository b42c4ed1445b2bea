"""`pointwise` (docs/pointwise.md) in PyTorch: what the peers run for a chain of element-wise instructions."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

Operand = Tensor | float | int

_FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "pow": torch.pow,
    "neg": torch.neg, "abs": torch.abs, "exp": torch.exp, "log": torch.log, "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "silu": F.silu, "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "relu": F.relu, "sin": torch.sin, "cos": torch.cos,
    "floor": torch.floor, "ceil": torch.ceil, "round": torch.round,
    "clamp": lambda x, low, high: torch.clamp(x, low, high),
    "int": lambda x: x.to(torch.int64),
}  # fmt: skip


def pointwise(inputs: Sequence[Tensor], expr: Sequence[str], dtype: torch.dtype, stored: str) -> Tensor:
    """The last instruction's result. Floats compute in `dtype`; `stored` is "f32" (stays in `dtype`) or "u8".

    Raises NotImplementedError for an instruction that no packaged model has used so far.
    """
    results: list[Tensor] = []

    def operand(word: str) -> Operand:
        if word[0] == "%":
            return results[int(word[1:])]
        if word[0] == "i" and word != "inf":
            return inputs[int(word[1:])]
        return float(word) if any(c in word for c in ".en") else int(word)

    for instruction in expr:
        name, *words = instruction.split()
        arguments = [operand(word) for word in words]
        if name == "float":
            results.append(arguments[0].to(dtype))  # type: ignore[union-attr]
        elif name in ("add", "mul") and not isinstance(arguments[0], Tensor):  # torch wants the tensor first
            results.append(_FUNCTIONS[name](arguments[1], arguments[0]))
        elif name in ("sub", "div") and not isinstance(arguments[0], Tensor):
            results.append(arguments[0] - arguments[1] if name == "sub" else arguments[0] / arguments[1])  # type: ignore[operator]
        elif name in _FUNCTIONS:
            results.append(_FUNCTIONS[name](*arguments))
        else:
            raise NotImplementedError(f"pointwise instruction {name!r} has no PyTorch form in benchmarks/peers")
    last = results[-1]
    return last.clamp(0, 255).to(torch.uint8) if stored == "u8" else last


def activate(x: Tensor, act: str) -> Tensor:
    """The `act` attribute of linear, conv2d and group_norm."""
    return x if act == "none" else _FUNCTIONS[act](x)
