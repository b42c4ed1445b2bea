"""Element-wise functions that are chains of the runtime's own instructions."""

import torch

from ..ir import Value
from .context import Context
from .pointwise import Operand, arithmetic, chain
from .registry import lowers

aten = torch.ops.aten

# Of one float; the last one is the result.
_CHAINS = {
    aten.expm1.default: ["exp i0", "sub %0 1.0"],
    aten.log1p.default: ["add i0 1.0", "log %0"],
    aten.exp2.default: ["mul i0 0.6931471805599453", "exp %0"],
    aten.log2.default: ["log i0", "mul %0 1.4426950408889634"],
    aten.log10.default: ["log i0", "mul %0 0.4342944819032518"],
    aten.tan.default: ["sin i0", "cos i0", "div %0 %1"],
    aten.sinh.default: ["exp i0", "neg i0", "exp %1", "sub %0 %2", "mul %3 0.5"],
    aten.cosh.default: ["exp i0", "neg i0", "exp %1", "add %0 %2", "mul %3 0.5"],
    aten.sign.default: ["gt i0 0.0", "lt i0 0.0", "sub %0 %1", "float %2"],
    aten.trunc.default: ["lt i0 0.0", "ceil i0", "floor i0", "where %0 %1 %2"],
    # gelu(z) = z (1 + erf(z / sqrt 2)) / 2
    aten.erf.default: [
        "mul i0 1.4142135623730951", "gelu %0", "div %1 %0", "mul %2 2.0", "sub %3 1.0", "eq i0 0.0", "where %5 0.0 %4",
    ],
    aten.hardsigmoid.default: ["add i0 3.0", "clamp %0 0.0 6.0", "div %1 6.0"],
    aten.hardswish.default: ["add i0 3.0", "clamp %0 0.0 6.0", "div %1 6.0", "mul i0 %2"],
    aten.mish.default: ["exp i0", "add %0 1.0", "log %1", "gt i0 20.0", "where %3 i0 %2", "tanh %4", "mul i0 %5"],
    aten.isnan.default: ["ne i0 i0"],
    aten.isinf.default: ["abs i0", "eq %0 inf"],
}  # fmt: skip


def _register() -> None:
    for target, expr in _CHAINS.items():
        lowers(target)(lambda ctx, x, expr=expr: chain(ctx, [x], list(expr), x.shape, ctx.meta.dtype))


_register()


@lowers(aten.pow.Tensor_Scalar)
def _power(ctx: Context, x: Operand, exponent: float) -> Value:
    """The usual exponents without logarithm and exponential."""
    short = {
        2: ["mul i0 i0"],
        3: ["mul i0 i0", "mul %0 i0"],
        0.5: ["sqrt i0"],
        -0.5: ["rsqrt i0"],
        -1: ["div 1.0 i0"],
    }.get(exponent)
    value = ctx.value(x)  # type: ignore[arg-type]
    if short and value.dtype == "f32":
        return chain(ctx, [value], short, value.shape)
    return arithmetic(ctx, "pow", x, exponent)


@lowers(aten.fmod.Tensor, aten.fmod.Scalar)
def _fmod(ctx: Context, a: Operand, b: Operand) -> Value:
    """The rest of a division that rounds to zero."""
    divisor: Operand = arithmetic(ctx, "abs", b) if isinstance(b, Value | torch.Tensor) else abs(b)
    size = arithmetic(ctx, "mod", arithmetic(ctx, "abs", a), divisor)
    real = size.dtype == "f32"
    expr = [f"lt i1 {'0.0' if real else '0'}", "neg i0", "where %0 %1 i0"]
    return chain(ctx, [size, ctx.value(a)], expr, size.shape, ctx.meta.dtype)  # type: ignore[arg-type]


@lowers(aten.hardtanh.default)
def _hardtanh(ctx: Context, x: Value, low: float = -1.0, high: float = 1.0) -> Value:
    return chain(ctx, [x], [f"clamp i0 {float(low)!r} {float(high)!r}"], x.shape)


@lowers(aten.leaky_relu.default)
def _leaky_relu(ctx: Context, x: Value, slope: float = 0.01) -> Value:
    return chain(ctx, [x], ["gt i0 0.0", f"mul i0 {float(slope)!r}", "where %0 i0 %1"], x.shape)


@lowers(aten.elu.default)
def _elu(ctx: Context, x: Value, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Value:
    negative = [f"mul i0 {float(input_scale)!r}", "exp %0", "sub %1 1.0", f"mul %2 {float(alpha * scale)!r}"]
    positive = [f"mul i0 {float(scale)!r}", "gt i0 0.0", "where %5 %4 %3"]
    return chain(ctx, [x], negative + positive, x.shape)
