"""The lists of cases, one an op."""

from tests.kernels.cases import (
    attention,
    concat,
    conv2d,
    copy,
    gather,
    group_norm,
    layer_norm,
    linear,
    pad,
    pointwise,
    randn,
    ring_attention,
    views,
)
from tests.support.op_case import Case

CASES: dict[str, list[Case]] = {
    "reshape": views.RESHAPE,
    "permute": views.PERMUTE,
    "slice": views.SLICE,
    "expand": views.EXPAND,
    "copy": copy.CASES,
    "concat": concat.CASES,
    "pad": pad.CASES,
    "gather": gather.CASES,
    "pointwise": pointwise.CASES,
    "randn": randn.CASES,
    "layer_norm": layer_norm.CASES,
    "group_norm": group_norm.CASES,
    "linear": linear.CASES,
    "conv2d": conv2d.CASES,
    "attention": attention.CASES,
    "ring_attention": ring_attention.CASES,
}
