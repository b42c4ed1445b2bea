"""`pointwise` (docs/pointwise.md) in PyTorch: what the peers run for a chain of element-wise instructions."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

Operand = Tensor | float | int


def _logic(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Truth as the package has it: an int, 0 or 1."""
    return lambda *arguments: function(*arguments).to(torch.int64)


def _divided(a: Tensor, b: Tensor, divided: Callable[..., Tensor]) -> Tensor:
    """floordiv or mod; an int divided by 0 gives 0."""
    if a.is_floating_point():
        return divided(a, b)
    return torch.where(b == 0, 0, divided(a, torch.where(b == 0, 1, b)))


_FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "pow": torch.pow,
    "min": torch.minimum, "max": torch.maximum,
    "neg": torch.neg, "abs": torch.abs, "exp": torch.exp, "log": torch.log, "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "silu": F.silu, "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "relu": F.relu, "sin": torch.sin, "cos": torch.cos,
    "floor": torch.floor, "ceil": torch.ceil, "round": torch.round,
    "floordiv": lambda a, b: _divided(a, b, torch.floor_divide),
    "mod": lambda a, b: _divided(a, b, torch.remainder),
    "eq": _logic(torch.eq), "ne": _logic(torch.ne), "lt": _logic(torch.lt), "le": _logic(torch.le),
    "gt": _logic(torch.gt), "ge": _logic(torch.ge),
    "and": _logic(torch.logical_and), "or": _logic(torch.logical_or), "not": _logic(torch.logical_not),
    "where": lambda condition, a, b: torch.where(condition != 0, a, b),
    "clamp": lambda x, low, high: torch.clamp(x, low, high),
    "int": lambda x: x.to(torch.int64),
}  # fmt: skip
_STORED = {"i64": torch.int64, "i32": torch.int32, "u8": torch.uint8, "bool": torch.bool}
_TAKES_NUMBERS = ("add", "sub", "mul", "div", "pow", "clamp", "eq", "ne", "lt", "le", "gt", "ge", "where")


def pointwise(inputs: Sequence[Tensor], expr: Sequence[str], dtype: torch.dtype, stored: str) -> Tensor:
    """The last instruction's result. Floats compute in `dtype`; `stored` is the value's type, "f32" remains `dtype`."""
    results: list[Tensor] = []

    def operand(word: str) -> Operand:
        if word[0] == "%":
            return results[int(word[1:])]
        if word[0] == "i" and word != "inf":
            return inputs[int(word[1:])]
        return float(word) if any(c in word for c in ".en") else int(word)

    def tensor(argument: Operand) -> Tensor:
        if isinstance(argument, Tensor):
            return argument
        return torch.tensor(argument, dtype=dtype if isinstance(argument, float) else torch.int64)

    for instruction in expr:
        name, *words = instruction.split()
        arguments = [operand(word) for word in words]
        if name == "float":
            results.append(tensor(arguments[0]).to(dtype))
            continue
        arguments = [x if not isinstance(x, Tensor) or x.is_floating_point() else x.to(torch.int64) for x in arguments]
        if name in ("add", "mul") and not isinstance(arguments[0], Tensor):  # torch wants the tensor first
            results.append(_FUNCTIONS[name](arguments[1], arguments[0]))
        elif name in ("sub", "div") and not isinstance(arguments[0], Tensor):
            results.append(arguments[0] - arguments[1] if name == "sub" else arguments[0] / arguments[1])  # type: ignore[operator]
        elif name in _TAKES_NUMBERS and isinstance(arguments[0], Tensor):
            results.append(_FUNCTIONS[name](*arguments))
        else:
            results.append(_FUNCTIONS[name](*map(tensor, arguments)))
    last = results[-1]
    if stored == "f32":
        return last
    return last.clamp(0, 255).to(torch.uint8) if last.is_floating_point() else last.to(_STORED[stored])


def activate(x: Tensor, act: str) -> Tensor:
    """The `act` attribute of linear, conv2d and group_norm."""
    return x if act == "none" else _FUNCTIONS[act](x)
