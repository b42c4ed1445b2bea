from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.kernels.cases.arrays import Array, Arrays
from tests.support.op_case import Case, Operand, expanded, permuted, sliced

a = Arrays(10)


def f32(values: Any) -> Array:
    return np.array(values, np.float32)


def case(
    name: str,
    operands: Sequence[Operand | Array],
    expr: list[str],
    shape: tuple[int, ...] | None = None,
    dtype: str = "f32",
) -> Case:
    """The output has the first operand's shape unless `shape` says otherwise."""
    if shape is None:
        shape = operands[0].seen().shape if isinstance(operands[0], Operand) else operands[0].shape
    return Case("pointwise", name, operands, shape, {"expr": expr}, dtype)


SPECIAL = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.5, -0.5, 1e-40, 3e38, -3e38, 7.0], np.float32)
ANGLES = f32([1.0, 2**26 - 4, 2**26, -(2**26) + 4, -(2**26), 3e9])  # the largest that sine and cosine take, and beyond
HALVES = np.arange(-20, 20, dtype=np.float32) / 2
INTS = np.array([-7, -3, -1, 0, 1, 2, 3, 7, 2**40, -(2**40)])


def one_by_one() -> list[Case]:
    """Each function on a range where it is interesting; the length makes tails after full registers."""
    wide, positive = a.normal(3, 347, scale=4.0), np.exp(a.normal(1041))
    small_names = [
        "neg",
        "abs",
        "exp",
        "tanh",
        "sigmoid",
        "silu",
        "gelu",
        "gelu_tanh",
        "relu",
        "floor",
        "ceil",
        "round",
    ]
    return [
        *(case(name, [wide], [f"{name} i0"]) for name in small_names),
        *(case(name, [positive], [f"{name} i0"]) for name in ("log", "sqrt", "rsqrt")),
        *(case(name, [a.normal(515, scale=30.0)], [f"{name} i0"]) for name in ("sin", "cos")),
        *(case(name, [a.normal(515), a.normal(515)], [f"{name} i0 i1"]) for name in ("sub", "min", "max")),
        case("div", [a.normal(515), positive[:515]], ["div i0 i1"]),
        case("pow", [positive[:515], a.normal(515)], ["pow i0 i1"]),
        case("square", [a.normal(77)], ["pow i0 2.0"]),
        case("floordiv", [a.normal(300, scale=9.0), positive[:300]], ["floordiv i0 i1"]),
        case("mod", [a.integers(-99, 99, 300).astype(np.float32), f32([[-3.5], [4.0]])], ["mod i0 i1"], (2, 300)),
        case("large-angles", [a.normal(99, scale=1e4)], ["sin i0", "cos i0", "add %0 %1"]),
        *(case(f"{name}-at-its-limit", [ANGLES], [f"{name} i0"]) for name in ("sin", "cos")),
    ]


def specials() -> list[Case]:
    names = ["exp", "tanh", "sigmoid", "log", "sqrt", "relu", "sin", "abs", "floor", "round"]
    # The metric is relative to the RMS: infinities apart, large values would hide all others.
    return [
        *(case(f"special-{name}", [SPECIAL[:9]], [f"{name} i0"]) for name in names),
        case("special-min", [SPECIAL[:, None], SPECIAL[None]], ["min i0 i1", "clamp %0 -2.0 2.0"], (13, 13)),
        case("special-max", [SPECIAL[:, None], SPECIAL[None]], ["max i0 i1", "clamp %0 -2.0 2.0"], (13, 13)),
        case("special-compare", [SPECIAL[:, None], SPECIAL], ["le i0 i1", "ne i0 i1", "add %0 %1"], (13, 13), "i64"),
        case("special-int", [SPECIAL], ["int i0"], dtype="i64"),
        case("special-to-u8", [f32([-1, -0.5, 0, 0.99, 1, 254.9, 255, 256, 1e9, np.nan, np.inf, -np.inf])],
             ["mul i0 1.0"], dtype="u8"),
        case("pow-of-negative", [f32([-2, -2, -2, 2, 0, 0, 1, -1]), f32([2, 3, 0.5, -1, 0, 2, np.nan, 5])],
             ["pow i0 i1"]),
        case("literals", [np.zeros(3, np.float32)], ["add i0 inf", "min %0 2.5e-1", "max %1 -inf"]),
    ]  # fmt: skip


def integers() -> list[Case]:
    binary = ["add", "sub", "mul", "min", "max", "floordiv", "mod", "eq", "ne", "lt", "le", "gt", "ge", "and", "or"]
    return [
        *(case(f"int-{name}", [INTS[:, None], INTS[None]], [f"{name} i0 i1"], (10, 10), "i64") for name in binary),
        *(case(f"int-{name}", [INTS], [f"{name} i0"], dtype="i64") for name in ("neg", "abs", "not")),
        case("int-wraps", [np.array([2**63 - 1, -(2**63)])], ["mul i0 3", "add %0 i0"], dtype="i64"),
        case("int-clamp", [INTS], ["clamp i0 -2 5"], dtype="i64"),
        case("int-where", [INTS], ["gt i0 0", "where %0 i0 -1"], dtype="i64"),
        case("int-to-i32", [INTS], ["add i0 5"], dtype="i32"),
        case("int-to-u8", [a.integers(-999, 999, 99)], ["add i0 5"], dtype="u8"),
        case("int-to-bool", [INTS], ["mod i0 2"], dtype="bool"),
        case("int-to-float", [a.integers(-999, 999, 600)], ["float i0", "mul %0 0.25"]),
        case("from-i32", [a.integers(-(2**31), 2**31, 99, dtype="int32")], ["mul i0 2"], dtype="i64"),
        case("from-u8", [a.integers(0, 256, 2, 3, 99, dtype="uint8")], ["float i0", "div %0 255.0"]),
        case("from-bool", [a.signs(33), a.normal(33)], ["where i0 i1 0.0"]),
        case("counter", [np.array([5])], ["add i0 1"], dtype="i64"),
    ]


def broadcasting() -> list[Case]:
    return [
        case("scalar-operand", [a.normal(7, 100), a.normal()], ["mul i0 i1"]),
        case("row", [a.normal(9, 131), a.normal(131)], ["add i0 i1"]),
        case("column", [a.normal(9, 131), a.normal(9, 1)], ["add i0 i1"]),
        case("middle", [a.normal(3, 4, 5), a.normal(3, 1, 5)], ["add i0 i1"]),
        case("both-grow", [a.normal(7, 1), a.normal(1, 9)], ["add i0 i1"], (7, 9)),
        case("rank-grows", [a.normal(3), a.normal(2, 1, 3)], ["sub i0 i1"], (2, 4, 3)),
        case("scalars-alone", [a.normal(1), a.normal()], ["add i0 i1"]),
        case("constant-output", [a.normal(1, 1)], ["mul i0 2.0"], (4, 700)),
        case("permuted", [permuted(a.normal(37, 41), 1, 0), a.normal(41, 37)], ["mul i0 i1"]),
        case("every-second", [sliced(a.normal(5, 300), 1, 1, 300, 2), a.normal(150)], ["mul i0 i1"]),
        case("expanded", [expanded(a.normal(6, 1, 3), 6, 200, 3)], ["mul i0 i0"]),
        case("rows-of-a-slice", [sliced(a.normal(5, 700), 1, 50, 650)], ["add i0 1.0"]),
        case("permuted-u8", [permuted(a.integers(0, 256, 4, 6, 5, 3, dtype="uint8"), 0, 3, 1, 2)], ["float i0"]),
    ]


def chains() -> list[Case]:
    sampler = ["sub i0 i1", "mul %0 i2", "add i1 %1"]
    deep = ["add i0 i1", *(f"mul %{i} 0.9" if i % 2 else f"add %{i} i{i % 4 // 2}" for i in range(126)), "sub %126 %0"]
    sixteen = ["add i0 i1", *(f"add %{i} i{i + 2}" for i in range(14))]
    alive = [*(f"mul i0 {i}.5" for i in range(30)), "add %0 %1", *(f"add %{30 + i} %{2 + i}" for i in range(28))]
    return [
        case("no-operands", [], ["add 1.5 2.0"], (3, 5)),
        case("no-operands-long", [], ["add 3 4"], (1300,), "i64"),
        case("unused-operand", [a.normal(50), a.normal(50)], ["exp i1"]),
        case("result-used-twice", [a.normal(600)], ["exp i0", "add %0 1.0", "div %0 %1"]),
        case("sampler", [a.normal(1, 4, 40, 16), a.normal(1, 4, 40, 16), a.normal(1, 4, 1, 1)], sampler),
        case("most-values-alive", [a.normal(300)], alive),
        case("longest", [a.normal(1100), a.normal(1100)], deep),
        case("most-operands", [a.normal(700) for _ in range(16)], sixteen),
        case("select", [a.normal(2500), a.normal(2500)], ["gt i0 i1", "lt i0 0.5", "and %0 %1", "where %2 i0 i1"]),
        case("to-frames", [a.normal(2, 8, 12, 3, scale=90.0)], ["add i0 128.0", "round %0"], dtype="u8"),
    ]  # fmt: skip


CASES = [*one_by_one(), *specials(), *integers(), *broadcasting(), *chains()]
