from tests.kernels.cases.arrays import Arrays
from tests.support.op_case import Case

a = Arrays(7)


def case(name: str, shape: tuple[int, int, int, int], groups: int, act: str = "none", mean: float = 0.0) -> Case:
    x, scale, shift = a.normal(*shape, mean=mean), a.normal(shape[3]), a.normal(shape[3])
    return Case("group_norm", name, [x, scale, shift], shape, {"groups": groups, "eps": 1e-5, "act": act})


def without(name: str, *absent: int) -> Case:
    full = case(name, (1, 3, 4, 12), 3)
    operands = [None if i in absent else x for i, x in enumerate(full.operands)]
    return Case("group_norm", name, operands, full.shape, full.attrs)


CASES = [
    case("usual", (1, 5, 8, 64), 32),
    case("one-group", (2, 3, 3, 20), 1),
    case("group-a-channel", (1, 4, 4, 9), 9),
    case("odd", (2, 3, 5, 33), 11),
    case("one-pixel", (2, 1, 1, 16), 4),
    case("many-pixels", (1, 20, 33, 24), 4),
    case("wide-group", (1, 4, 3, 160), 2),
    case("far-from-zero", (1, 10, 10, 32), 8, mean=20.0),
    case("gelu", (1, 4, 4, 24), 6, "gelu"),
    case("gelu_tanh", (1, 4, 4, 24), 6, "gelu_tanh"),
    case("silu", (1, 4, 4, 24), 6, "silu"),
    case("relu", (1, 4, 4, 24), 6, "relu"),
    without("no-scale", 1),
    without("no-shift", 2),
    without("bare", 1, 2),
]
