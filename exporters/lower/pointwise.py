"""Element-wise ops. Each becomes a `pointwise` of one instruction (and conversions); a pass joins them into chains."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..ir import Value
from .context import Context, dtype_name
from .registry import UnsupportedError, lowers
from .views import expand

aten = torch.ops.aten
Operand = Value | Tensor | float | int | bool


def _is_float(item: Operand) -> bool:
    if isinstance(item, Value):
        return item.dtype == "f32"
    if isinstance(item, Tensor):
        return item.is_floating_point()
    return isinstance(item, float)


def _literal(number: float | int | bool, real: bool) -> str:
    return repr(float(number)) if real else str(int(number))


class Expression:
    """Instructions over operands; converts between the two kinds of registers where needed."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.inputs: list[Value | Tensor] = []
        self.instructions: list[str] = []

    def add(self, instruction: str) -> str:
        self.instructions.append(instruction)
        return f"%{len(self.instructions) - 1}"

    def arg(self, item: Operand, real: bool) -> str:
        """The operand as a register of the wanted kind; constants of one element become literals."""
        if isinstance(item, Tensor) and item.numel() == 1:
            item = item.item()
        if not isinstance(item, Value | Tensor):
            return _literal(item, real)
        at = next((i for i, known in enumerate(self.inputs) if known is item), len(self.inputs))
        if at == len(self.inputs):
            self.inputs.append(item)
        if _is_float(item) == real:
            return f"i{at}"
        return self.add(f"{'float' if real else 'int'} i{at}")

    def emit(self) -> Value:
        meta = self.ctx.meta
        return self.ctx.op(
            "pointwise",
            list(self.inputs),
            {"expr": self.instructions},
            shape=tuple(meta.shape),
            dtype=dtype_name(meta.dtype),
        )


def chain(
    ctx: Context,
    inputs: Sequence[Value | Tensor],
    expr: list[str],
    shape: Sequence[int],
    dtype: torch.dtype = torch.float32,
) -> Value:
    """A `pointwise` of these instructions (docs/pointwise.md) over these inputs."""
    return ctx.op("pointwise", list(inputs), {"expr": expr}, shape=tuple(shape), dtype=dtype_name(dtype))


def cast(ctx: Context, x: Value | Tensor, dtype: torch.dtype | str) -> Value:
    """x in another type. Floats of any width are one type here."""
    x = ctx.value(x)
    target = dtype if isinstance(dtype, str) else dtype_name(dtype)
    if target == x.dtype:
        return x
    if target == "bool":
        expr = [f"ne i0 {'0.0' if x.dtype == 'f32' else '0'}"]
    elif x.dtype == "f32":
        expr = ["max i0 0.0"] if target == "u8" else ["int i0"]  # storing a float as u8 truncates and saturates
    else:
        expr = ["float i0"] if target == "f32" else ["add i0 0"]
    return ctx.op("pointwise", [x], {"expr": expr}, shape=x.shape, dtype=target)


def arithmetic(ctx: Context, name: str, *operands: Operand) -> Value:
    """`name` over operands, computed in the kind of the result."""
    expression = Expression(ctx)
    real = ctx.meta.dtype.is_floating_point
    expression.add(" ".join([name, *(expression.arg(item, real) for item in operands)]))
    return expression.emit()


_UNARY = {
    "neg": aten.neg.default,
    "abs": aten.abs.default,
    "exp": aten.exp.default,
    "log": aten.log.default,
    "sqrt": aten.sqrt.default,
    "rsqrt": aten.rsqrt.default,
    "tanh": aten.tanh.default,
    "sigmoid": aten.sigmoid.default,
    "silu": aten.silu.default,
    "relu": aten.relu.default,
    "sin": aten.sin.default,
    "cos": aten.cos.default,
    "floor": aten.floor.default,
    "ceil": aten.ceil.default,
    "round": aten.round.default,
}
_BINARY = {
    "mul": (aten.mul.Tensor, aten.mul.Scalar),
    "div": (aten.div.Tensor, aten.div.Scalar),
    "max": (aten.maximum.default,),
    "min": (aten.minimum.default,),
    "pow": (aten.pow.Tensor_Tensor, aten.pow.Scalar),
    "mod": (aten.remainder.Tensor, aten.remainder.Scalar),
    "floordiv": (aten.floor_divide.default,),
}
_COMPARISONS = {
    name: (getattr(aten, name).Tensor, getattr(aten, name).Scalar) for name in ("eq", "ne", "lt", "le", "gt", "ge")
}
_LOGIC = {
    "and": (aten.logical_and.default, aten.bitwise_and.Tensor),
    "or": (aten.logical_or.default, aten.bitwise_or.Tensor),
    "not": (aten.logical_not.default, aten.bitwise_not.default),
}


def _register_tables() -> None:
    for name, target in _UNARY.items():
        lowers(target)(lambda ctx, x, name=name: arithmetic(ctx, name, x))
    for name, targets in _BINARY.items():
        lowers(*targets)(lambda ctx, a, b, name=name: arithmetic(ctx, name, a, b))
    for name, targets in _COMPARISONS.items():
        lowers(*targets)(lambda ctx, a, b, name=name: _compare(ctx, name, a, b))
    for name, targets in _LOGIC.items():
        lowers(*targets)(lambda ctx, *operands, name=name: _logic(ctx, name, *operands))


def _compare(ctx: Context, name: str, a: Operand, b: Operand) -> Value:
    expression = Expression(ctx)
    real = _is_float(a) or _is_float(b)
    expression.add(f"{name} {expression.arg(a, real)} {expression.arg(b, real)}")
    return expression.emit()


def _logic(ctx: Context, name: str, *operands: Operand) -> Value:
    if any(isinstance(item, Value) and item.dtype != "bool" for item in operands):
        raise UnsupportedError("only logic on booleans is supported, not on the bits of integers")
    expression = Expression(ctx)
    expression.add(" ".join([name, *(expression.arg(item, False) for item in operands)]))
    return expression.emit()


_register_tables()


@lowers(aten.add.Tensor, aten.add.Scalar)
def _add(ctx: Context, a: Operand, b: Operand, alpha: float = 1) -> Value:
    return _scaled(ctx, "add", a, b, alpha)


@lowers(aten.sub.Tensor, aten.sub.Scalar)
def _sub(ctx: Context, a: Operand, b: Operand, alpha: float = 1) -> Value:
    return _scaled(ctx, "sub", a, b, alpha)


@lowers(aten.rsub.Scalar, aten.rsub.Tensor)
def _rsub(ctx: Context, a: Operand, b: Operand, alpha: float = 1) -> Value:
    return _scaled(ctx, "sub", b, a, alpha)


def _scaled(ctx: Context, name: str, a: Operand, b: Operand, alpha: float) -> Value:
    if alpha == 1:
        return arithmetic(ctx, name, a, b)
    expression, real = Expression(ctx), ctx.meta.dtype.is_floating_point
    scaled = expression.add(f"mul {expression.arg(b, real)} {_literal(alpha, real)}")
    expression.add(f"{name} {expression.arg(a, real)} {scaled}")
    return expression.emit()


@lowers(aten.div.Tensor_mode)
def _div_mode(ctx: Context, a: Operand, b: Operand, rounding_mode: str | None = None) -> Value:
    if rounding_mode == "trunc":
        raise UnsupportedError("division that rounds to zero; use rounding_mode='floor'")
    return arithmetic(ctx, "floordiv" if rounding_mode == "floor" else "div", a, b)


@lowers(aten.reciprocal.default)
def _reciprocal(ctx: Context, x: Operand) -> Value:
    return arithmetic(ctx, "div", 1.0, x)


@lowers(aten.gelu.default)
def _gelu(ctx: Context, x: Operand, approximate: str = "none") -> Value:
    return arithmetic(ctx, "gelu_tanh" if approximate == "tanh" else "gelu", x)


@lowers(aten.clamp.default)
def _clamp(ctx: Context, x: Operand, low: Operand | None = None, high: Operand | None = None) -> Value:
    if low is not None and high is not None:
        return arithmetic(ctx, "clamp", x, low, high)
    assert low is not None or high is not None
    return arithmetic(ctx, "max", x, low) if low is not None else arithmetic(ctx, "min", x, high)  # type: ignore[arg-type]


@lowers(aten.clamp_min.default)
def _clamp_min(ctx: Context, x: Operand, low: Operand) -> Value:
    return arithmetic(ctx, "max", x, low)


@lowers(aten.clamp_max.default)
def _clamp_max(ctx: Context, x: Operand, high: Operand) -> Value:
    return arithmetic(ctx, "min", x, high)


@lowers(aten.where.self)
def _where(ctx: Context, condition: Operand, a: Operand, b: Operand) -> Value:
    expression, real = Expression(ctx), ctx.meta.dtype.is_floating_point
    args = [expression.arg(condition, False), expression.arg(a, real), expression.arg(b, real)]
    expression.add(" ".join(["where", *args]))
    return expression.emit()


@lowers(aten._to_copy.default, aten.to.dtype)
def _to_copy(ctx: Context, x: Value, dtype: torch.dtype | None = None, **options: Any) -> Value:
    return cast(ctx, x, ctx.meta.dtype)


@lowers(aten.copy.default)
def _copy(ctx: Context, x: Value | Tensor, source: Value | Tensor, non_blocking: bool = False) -> Value:
    return expand(ctx, cast(ctx, source, ctx.meta.dtype), ctx.meta.shape)


@lowers(aten.full_like.default)
def _full_like(ctx: Context, x: Value, fill: float, **options: Any) -> Tensor:
    return torch.full(tuple(ctx.meta.shape), fill, dtype=ctx.meta.dtype)


@lowers(aten.zeros_like.default)
def _zeros_like(ctx: Context, x: Value, **options: Any) -> Tensor:
    return torch.zeros(tuple(ctx.meta.shape), dtype=ctx.meta.dtype)


@lowers(aten.ones_like.default)
def _ones_like(ctx: Context, x: Value, **options: Any) -> Tensor:
    return torch.ones(tuple(ctx.meta.shape), dtype=ctx.meta.dtype)
