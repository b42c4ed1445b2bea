"""Shapes of results. One function an op; `infer` is used to build ops and, by the verifier, to check them."""

import math
from collections.abc import Callable
from typing import Any

from .program import Shape

Shapes = list[Shape | None]
_RULES: dict[str, Callable[[Shapes, dict[str, Any]], Shape]] = {}


class ShapeError(ValueError):
    """Operands do not fit together; the message names their shapes."""


def _rule(*names: str) -> Callable[[Callable[..., Shape]], Callable[..., Shape]]:
    def add(function: Callable[..., Shape]) -> Callable[..., Shape]:
        _RULES.update(dict.fromkeys(names, function))
        return function

    return add


def infer(op: str, inputs: Shapes, attrs: dict[str, Any]) -> Shape | None:
    """Shape of an op's output, or None where the operands do not determine it (`pointwise`, `randn`)."""
    return _RULES[op](inputs, attrs) if op in _RULES else None


def broadcast(*shapes: Shape) -> Shape:
    """numpy's rule; ShapeError if the shapes do not broadcast."""
    rank = max(map(len, shapes), default=0)
    result = []
    for extents in zip(*[(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes], strict=True):
        wide = set(extents) - {1}
        if len(wide) > 1:
            raise ShapeError(f"shapes {', '.join(map(str, map(list, shapes)))} do not broadcast")
        result.append(wide.pop() if wide else 1)
    return tuple(result)


def _check(condition: bool, message: str) -> None:
    if not condition:
        raise ShapeError(message)


@_rule("reshape")
def _reshape(inputs: Shapes, attrs: dict[str, Any]) -> Shape:
    (x,) = inputs
    assert x is not None
    _check(math.prod(x) == math.prod(attrs["shape"]), f"{list(x)} has not as many elements as {attrs['shape']}")
    return tuple(attrs["shape"])


@_rule("permute")
def _permute(inputs: Shapes, attrs: dict[str, Any]) -> Shape:
    (x,) = inputs
    assert x is not None
    _check(sorted(attrs["dims"]) == list(range(len(x))), f"dims {attrs['dims']} do not permute {list(x)}")
    return tuple(x[dim] for dim in attrs["dims"])


@_rule("slice")
def _slice(inputs: Shapes, attrs: dict[str, Any]) -> Shape:
    (x,) = inputs
    assert x is not None
    dim, start, stop, step = (attrs[key] for key in ("dim", "start", "stop", "step"))
    fits = 0 <= dim < len(x) and 0 <= start < stop <= x[dim] and step >= 1
    _check(fits, f"slice [{start}:{stop}:{step}] of dimension {dim} is outside {list(x)}")
    return (*x[:dim], len(range(start, stop, step)), *x[dim + 1 :])


@_rule("expand")
def _expand(inputs: Shapes, attrs: dict[str, Any]) -> Shape:
    (x,) = inputs
    assert x is not None
    shape = tuple(attrs["shape"])
    _check(len(x) <= len(shape) and broadcast(x, shape) == shape, f"{list(x)} does not expand to {list(shape)}")
    return shape


@_rule("copy")
def _copy(inputs: Shapes, attrs: dict[str, Any]) -> Shape:
    (x,) = inputs
    assert x is not None
    return x


@_rule("concat")
def _concat(inputs: Shapes, attrs: dict[str, Any]) -> Shape:
    dim = attrs["dim"]
    shapes = [x for x in inputs if x is not None]
    first = shapes[0]
    rests = {(*x[:dim], *x[dim + 1 :]) for x in shapes}
    _check(0 <= dim < len(first) and len(rests) == 1, f"{list(map(list, shapes))} differ beyond dimension {dim}")
    return (*first[:dim], sum(x[dim] for x in shapes), *first[dim + 1 :])


@_rule("pad")
def _pad(inputs: Shapes, attrs: dict[str, Any]) -> Shape:
    (x,) = inputs
    assert x is not None
    pads = attrs["pads"]
    _check(len(pads) == 2 * len(x) and min(pads, default=0) >= 0, f"pads {pads} do not fit {list(x)}")
    return tuple(extent + pads[2 * i] + pads[2 * i + 1] for i, extent in enumerate(x))


@_rule("gather")
def _gather(inputs: Shapes, attrs: dict[str, Any]) -> Shape:
    table, index = inputs
    assert table is not None
    assert index is not None
    _check(len(table) == 2, f"table {list(table)} must have two dimensions")
    return (*index, table[1])


@_rule("reduce")
def _reduce(inputs: Shapes, attrs: dict[str, Any]) -> Shape:
    (x,) = inputs
    assert x is not None
    dim = attrs["dim"]
    _check(0 <= dim < len(x), f"dimension {dim} is outside {list(x)}")
    return (*x[:dim], 1, *x[dim + 1 :])


@_rule("softmax")
def _softmax(inputs: Shapes, attrs: dict[str, Any]) -> Shape:
    (x,) = inputs
    assert x is not None
    _check(len(x) >= 1, "softmax of a scalar")
    return x


def _check_table(what: str, table: Shape | None, columns: int, rows: int, group_rows: int) -> None:
    """A table [G, D]: row r takes entry (r / group_rows) % G."""
    if table is None:
        return
    fits = len(table) == 2 and table[1] == columns and group_rows >= 1 and rows % (group_rows * table[0]) == 0
    _check(fits, f"{what} {list(table)} with groups of {group_rows} rows does not fit {rows} rows of {columns}")


@_rule("layer_norm", "rms_norm")
def _row_norm(inputs: Shapes, attrs: dict[str, Any]) -> Shape:
    x, scale, shift = inputs
    assert x is not None
    for what, table in (("scale", scale), ("shift", shift)):
        _check_table(what, table, x[-1], math.prod(x[:-1]), attrs["group_rows"])
    return x


@_rule("group_norm")
def _group_norm(inputs: Shapes, attrs: dict[str, Any]) -> Shape:
    x, scale, shift = inputs
    assert x is not None
    _check(len(x) == 4 and x[3] % attrs["groups"] == 0, f"{list(x)} has not {attrs['groups']} groups of channels")
    for table in (scale, shift):
        _check(table is None or table == x[3:], f"scale, shift must be {list(x[3:])}")
    return x


@_rule("linear")
def _linear(inputs: Shapes, attrs: dict[str, Any]) -> Shape:
    x, weight, bias, gate, residual = inputs
    assert x is not None
    assert weight is not None
    fits = len(weight) == 2 and len(x) >= 1 and x[-1] == weight[1]
    _check(fits, f"x {list(x)} does not multiply weight {list(weight)}")
    y = (*x[:-1], weight[0])
    _check(bias is None or bias == (weight[0],), f"bias {bias} must be [{weight[0]}]")
    _check(residual is None or residual == y, f"residual {residual} must be {list(y)}")
    _check_table("gate", gate, weight[0], math.prod(x[:-1]), attrs["gate_rows"])
    return y


@_rule("matmul")
def _matmul(inputs: Shapes, attrs: dict[str, Any]) -> Shape:
    a, b = inputs
    assert a is not None
    assert b is not None
    fits = len(a) == len(b) >= 2 and a[:-2] == b[:-2] and a[-1] == b[-1 if attrs["transpose_b"] else -2]
    _check(fits, f"a {list(a)} does not multiply b {list(b)} with transpose_b {attrs['transpose_b']}")
    return (*a[:-1], b[-2 if attrs["transpose_b"] else -1])


@_rule("conv2d")
def _conv2d(inputs: Shapes, attrs: dict[str, Any]) -> Shape:
    x, weight, bias, residual = inputs
    assert x is not None
    assert weight is not None
    fits = len(x) == 4 and len(weight) == 4 and x[3] == weight[3] * attrs["groups"] and weight[0] % attrs["groups"] == 0
    _check(fits, f"x {list(x)} does not fit weight {list(weight)} in {attrs['groups']} groups")
    top, left, bottom, right = attrs["padding"]
    extents = []
    for axis, before, after in ((0, top, bottom), (1, left, right)):
        reach = attrs["dilation"][axis] * (weight[1 + axis] - 1) + 1
        extents.append((x[1 + axis] + before + after - reach) // attrs["stride"][axis] + 1)
    y = (x[0], *extents, weight[0])
    _check(min(y) > 0, f"x {list(x)} is smaller than the kernel {list(weight)}")
    _check(bias is None or bias == (weight[0],), f"bias {bias} must be [{weight[0]}]")
    _check(residual is None or residual == y, f"residual {residual} must be {list(y)}")
    return y


@_rule("attention")
def _attention(inputs: Shapes, attrs: dict[str, Any]) -> Shape:
    q, k, v, mask = inputs
    assert q is not None
    assert k is not None
    fits = k == v and len(q) == len(k) >= 3 and (*q[:-3], *q[-2:]) == (*k[:-3], *k[-2:])
    _check(fits, f"q {list(q)}, k {list(k)}, v {v} must be [..., L|S, H, D] alike")
    if mask is not None:
        logits = (*q[:-3], q[-2], q[-3], k[-3])
        _check(broadcast(mask, logits) == logits, f"mask {list(mask)} does not broadcast to {list(logits)}")
    return q


@_rule("ring_attention")
def _ring_attention(inputs: Shapes, attrs: dict[str, Any]) -> Shape:
    q, k, v, k_ring, v_ring, frame, first_valid, bias = inputs
    assert q is not None
    assert k_ring is not None
    batch, window, positions, heads, width = q
    history, commit = attrs["history"], attrs["commit"]
    _check(q == k == v, f"q {q}, k {k}, v {v} must agree")
    fits = k_ring == v_ring and k_ring == (batch, k_ring[1], positions, heads, width)
    _check(fits and k_ring[1] >= history + commit, f"rings {k_ring}, {v_ring} do not hold {history} + {commit} of {q}")
    _check(frame == first_valid == (batch,), f"frame {frame} and first_valid {first_valid} must be [{batch}]")
    fits = bias is None or (len(bias) == 2 and bias[0] == heads and bias[1] >= history + window)
    _check(fits, f"bias {bias} must be [{heads}, >= {history + window}]")
    return q
