"""A slow, readable version of every op of csrc/core/ops.def, in float64 numpy.

`REFERENCE[op](inputs, attrs, shape, dtype)` takes the operands (None where absent; floats in float64), the attributes,
and the shape and dtype of the output; it returns the output. `ring_attention` returns the output and both rings.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.reference.activations import activate
from tests.reference.noise import normals
from tests.reference.pointwise import pointwise

Array = NDArray[Any]
Inputs = Sequence[Array | None]
Attrs = Mapping[str, Any]
Reference = Callable[[Inputs, Attrs, Sequence[int], str], Any]


def present(inputs: Inputs) -> list[Array]:
    return [x for x in inputs if x is not None]


# ---- views and data movement -----------------------------------------------------------------------------------------


def reshape(inputs: Inputs, attrs: Attrs, shape: Sequence[int], dtype: str) -> Array:
    return present(inputs)[0].reshape(attrs["shape"])


def permute(inputs: Inputs, attrs: Attrs, shape: Sequence[int], dtype: str) -> Array:
    return present(inputs)[0].transpose(attrs["dims"])


def slice_(inputs: Inputs, attrs: Attrs, shape: Sequence[int], dtype: str) -> Array:
    (x,) = present(inputs)
    where = [slice(None)] * x.ndim
    where[attrs["dim"]] = slice(attrs["start"], attrs["stop"], attrs["step"])
    return x[tuple(where)]


def expand(inputs: Inputs, attrs: Attrs, shape: Sequence[int], dtype: str) -> Array:
    return np.broadcast_to(present(inputs)[0], attrs["shape"])


def copy(inputs: Inputs, attrs: Attrs, shape: Sequence[int], dtype: str) -> Array:
    return present(inputs)[0].copy()


def concat(inputs: Inputs, attrs: Attrs, shape: Sequence[int], dtype: str) -> Array:
    return np.concatenate(present(inputs), attrs["dim"])


def pad(inputs: Inputs, attrs: Attrs, shape: Sequence[int], dtype: str) -> Array:
    pads = np.reshape(attrs["pads"], (-1, 2))
    return np.pad(present(inputs)[0], pads, constant_values=attrs["value"])


def gather(inputs: Inputs, attrs: Attrs, shape: Sequence[int], dtype: str) -> Array:
    table, index = present(inputs)
    return table[np.clip(index, 0, len(table) - 1)]


# ---- element-wise ----------------------------------------------------------------------------------------------------


def pointwise_op(inputs: Inputs, attrs: Attrs, shape: Sequence[int], dtype: str) -> Array:
    return pointwise(present(inputs), attrs["expr"], shape, dtype)


def randn(inputs: Inputs, attrs: Attrs, shape: Sequence[int], dtype: str) -> Array:
    seeds, counters = present(inputs)
    count = int(np.prod(shape[1:]))
    noise = [normals(int(seed), int(counter), count) for seed, counter in zip(seeds, counters, strict=True)]
    return np.stack(noise).reshape(shape)


# ---- reductions ------------------------------------------------------------------------------------------------------


def reduce(inputs: Inputs, attrs: Attrs, shape: Sequence[int], dtype: str) -> Array:
    (x,) = present(inputs)
    fold = {"sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min}[attrs["kind"]]
    return np.asarray(fold(x, axis=attrs["dim"], keepdims=True))


def softmax(inputs: Inputs, attrs: Attrs, shape: Sequence[int], dtype: str) -> Array:
    (x,) = present(inputs)
    return softmax_weighted(x, np.eye(x.shape[-1]))


# ---- norms, GEMM, convolution ----------------------------------------------------------------------------------------


def _rows_of(table: Array, rows: int, group_rows: int) -> Array:
    """Row r of the result is entry (r / group_rows) % G of a table [G, N]."""
    return table[np.arange(rows) // group_rows % len(table)]


def layer_norm(inputs: Inputs, attrs: Attrs, shape: Sequence[int], dtype: str) -> Array:
    x, scale, shift = inputs
    assert x is not None
    rows = x.reshape(-1, x.shape[-1])
    y = (rows - rows.mean(-1, keepdims=True)) / np.sqrt(rows.var(-1, keepdims=True) + attrs["eps"])
    if scale is not None:
        y = y * _rows_of(scale, len(rows), attrs["group_rows"])
    if shift is not None:
        y = y + _rows_of(shift, len(rows), attrs["group_rows"])
    return y.reshape(x.shape)


def rms_norm(inputs: Inputs, attrs: Attrs, shape: Sequence[int], dtype: str) -> Array:
    x, scale, shift = inputs
    assert x is not None
    rows = x.reshape(-1, x.shape[-1])
    y = rows / np.sqrt((rows**2).mean(-1, keepdims=True) + attrs["eps"])
    if scale is not None:
        y = y * _rows_of(scale, len(rows), attrs["group_rows"])
    if shift is not None:
        y = y + _rows_of(shift, len(rows), attrs["group_rows"])
    return y.reshape(x.shape)


def group_norm(inputs: Inputs, attrs: Attrs, shape: Sequence[int], dtype: str) -> Array:
    x, scale, shift = inputs
    assert x is not None
    groups = x.reshape(x.shape[0], -1, attrs["groups"], x.shape[-1] // attrs["groups"])
    mean, var = groups.mean((1, 3), keepdims=True), groups.var((1, 3), keepdims=True)
    y = ((groups - mean) / np.sqrt(var + attrs["eps"])).reshape(x.shape)
    y = y if scale is None else y * scale
    y = y if shift is None else y + shift
    return activate(y, attrs["act"])


def linear(inputs: Inputs, attrs: Attrs, shape: Sequence[int], dtype: str) -> Array:
    x, weight, bias, gate, residual = inputs
    assert x is not None
    assert weight is not None
    rows = x.reshape(-1, x.shape[-1]) @ weight.T
    rows = activate(rows if bias is None else rows + bias, attrs["act"])
    if gate is not None:
        rows = rows * _rows_of(gate, len(rows), attrs["gate_rows"])
    y = rows.reshape(*x.shape[:-1], len(weight))
    return y if residual is None else residual + y


def matmul(inputs: Inputs, attrs: Attrs, shape: Sequence[int], dtype: str) -> Array:
    a, b = present(inputs)
    return a @ (b.swapaxes(-1, -2) if attrs["transpose_b"] else b)


def receptive_fields(x: Array, kernel: Sequence[int], attrs: Attrs, shape: Sequence[int]) -> Array:
    """x [B, H, W, I] -> [B, H', W', groups, kh * kw * I / groups]: what each pixel of a convolution's output reads."""
    (top, left, bottom, right), groups = attrs["padding"], attrs["groups"]
    x = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    height, width = shape[1:3]
    taps = []
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            first = i * attrs["dilation"][0], j * attrs["dilation"][1]
            rows = slice(first[0], first[0] + (height - 1) * attrs["stride"][0] + 1, attrs["stride"][0])
            columns = slice(first[1], first[1] + (width - 1) * attrs["stride"][1] + 1, attrs["stride"][1])
            taps.append(x[:, rows, columns].reshape(len(x), height, width, groups, 1, -1))
    return np.concatenate(taps, -2).reshape(len(x), height, width, groups, -1)


def conv2d(inputs: Inputs, attrs: Attrs, shape: Sequence[int], dtype: str) -> Array:
    x, weight, bias, residual = inputs
    assert x is not None
    assert weight is not None
    return convolve(receptive_fields(x, weight.shape[1:3], attrs, shape), weight, bias, residual, attrs, shape)


def convolve(
    fields: Array, weight: Array, bias: Array | None, residual: Array | None, attrs: Attrs, shape: Sequence[int]
) -> Array:
    groups = fields.shape[3]
    filters = weight.reshape(groups, len(weight) // groups, -1)
    y = np.einsum("bhwgk,gok->bhwgo", fields, filters).reshape(shape)
    y = activate(y if bias is None else y + bias, attrs["act"])
    return y if residual is None else residual + y


# ---- attention -------------------------------------------------------------------------------------------------------


def _unrounded(x: Array) -> Array:
    return x


def softmax_weighted(logits: Array, v: Array, rounded: Callable[[Array], Array] = _unrounded) -> Array:
    """softmax(logits [..., L, S]) v [..., S, D]; a row of nothing but -inf yields zeros. `rounded`: what a kernel makes
    of e^(logit - largest) before it meets v; their sum is taken of what they were."""
    high = logits.max(-1, keepdims=True)
    weights = np.exp(logits - np.where(np.isfinite(high), high, 0))
    total = weights.sum(-1, keepdims=True)
    return np.divide(rounded(weights), total, out=np.zeros_like(weights), where=total > 0) @ v


def attention(
    inputs: Inputs,
    attrs: Attrs,
    shape: Sequence[int],
    dtype: str,
    rounded: Callable[[Array], Array] = _unrounded,
) -> Array:
    q, k, v, mask = (None if x is None else x for x in inputs)
    assert q is not None
    assert k is not None
    assert v is not None
    by_head = [x.swapaxes(-3, -2) for x in (q, k, v)]
    logits = attrs["scale"] * by_head[0] @ by_head[1].swapaxes(-1, -2)
    if mask is not None:
        logits = logits + mask
    if attrs["causal"]:
        queries, keys = logits.shape[-2:]
        hidden = np.arange(keys) > np.arange(queries)[:, None] + keys - queries
        logits = np.where(hidden, -np.inf, logits)
    return softmax_weighted(logits, by_head[2], rounded).swapaxes(-3, -2)


def ring_attention(
    inputs: Inputs,
    attrs: Attrs,
    shape: Sequence[int],
    dtype: str,
    rounded: Callable[[Array], Array] = _unrounded,
) -> tuple[Array, Array, Array]:
    """docs/ring_attention.md, batch entry by entry, query frame by query frame. `rounded`: see softmax_weighted; in
    scope `frame` alone, where the keys are many enough for tensor cores."""
    q, k, v, k_ring, v_ring, frames, first_valids, bias = inputs
    assert q is not None
    assert k is not None
    assert v is not None
    assert k_ring is not None
    assert v_ring is not None
    assert frames is not None
    assert first_valids is not None
    batch, window, _, heads, _ = q.shape
    slots, history, y = k_ring.shape[1], attrs["history"], np.zeros_like(q)
    new_k, new_v = k_ring.copy(), v_ring.copy()
    for b in range(batch):
        frame, first_valid = int(frames[b]), int(first_valids[b])
        current = max(frame, first_valid)
        for i in range(window):
            if frame + i < first_valid:
                continue
            seen_ring = range(max(0, current - history), current)
            seen_window = [j for j in range(i + 1) if frame + j >= first_valid]
            keys = np.stack([k_ring[b, g % slots] for g in seen_ring] + [k[b, j] for j in seen_window])  # [N, P, H, D]
            values = np.stack([v_ring[b, g % slots] for g in seen_ring] + [v[b, j] for j in seen_window])
            distance = frame + i - np.array([*seen_ring, *(frame + j for j in seen_window)])
            offset = np.zeros((heads, len(keys))) if bias is None else bias[:, distance]  # [H, N]
            if attrs["scope"] == "position":
                logits = attrs["scale"] * np.einsum("phd,nphd->hpn", q[b, i], keys) + offset[:, None]
                y[b, i] = np.einsum("hpn,nphd->phd", softmax_weighted(logits, np.eye(len(keys))), values)
            else:
                logits = attrs["scale"] * np.einsum("phd,nrhd->hpnr", q[b, i], keys) + offset[:, None, :, None]
                flat = logits.reshape(*logits.shape[:2], -1)
                flat_values = values.transpose(2, 0, 1, 3).reshape(heads, flat.shape[-1], -1)
                y[b, i] = softmax_weighted(flat, flat_values, rounded).swapaxes(0, 1)
        for i in range(attrs["commit"]):
            if frame + i >= first_valid:
                new_k[b, (frame + i) % slots], new_v[b, (frame + i) % slots] = k[b, i], v[b, i]
    return y, new_k, new_v


REFERENCE: dict[str, Reference] = {
    "reshape": reshape,
    "permute": permute,
    "slice": slice_,
    "expand": expand,
    "copy": copy,
    "concat": concat,
    "pad": pad,
    "gather": gather,
    "pointwise": pointwise_op,
    "randn": randn,
    "reduce": reduce,
    "softmax": softmax,
    "layer_norm": layer_norm,
    "rms_norm": rms_norm,
    "group_norm": group_norm,
    "linear": linear,
    "matmul": matmul,
    "conv2d": conv2d,
    "attention": attention,
    "ring_attention": ring_attention,
}
