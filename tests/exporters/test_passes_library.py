"""The passes that networks of other libraries need, by the text of a program before and after each."""

from exporters.passes import (
    common_subexpressions,
    dead_code,
    fold_constants,
    fold_scales,
    fuse_attention,
    fuse_modulate,
    fuse_rms_norm,
    sink_permutes,
    slice_concat,
)
from tests.support.ir_builder import Builder, lines


def test_fuse_rms_norm():
    b = Builder((2, 6))
    mean = b.op("reduce", b.pointwise("mul i0 i0", b.x), kind="mean", dim=1)
    factor = b.pointwise("rsqrt i0", b.pointwise("add i0 1e-06", mean))
    scaled = b.pointwise("mul i0 i1", b.tensor("weight", 6), b.pointwise("mul i0 i1", b.x, factor))
    assert b.after(fuse_rms_norm, dead_code, fuse_modulate, fold_constants, y=scaled) == lines("""
        %1 f32[2, 6] = rms_norm(%0, weight[1x6], _) {eps=1e-06, group_rows=1}
        return y = %1
    """)


def test_fuse_rms_norm_by_division():
    b = Builder((2, 6))
    mean = b.op("reduce", b.pointwise("mul i0 i0", b.x), kind="mean", dim=1)
    y = b.pointwise("div i0 i1", b.x, b.pointwise("sqrt i0", b.pointwise("add i0 0.5", mean)))
    assert b.after(fuse_rms_norm, dead_code, y=y) == lines("""
        %1 f32[2, 6] = rms_norm(%0, _, _) {eps=0.5, group_rows=1}
        return y = %1
    """)


def test_a_mean_over_another_dimension_is_no_rms_norm():
    b = Builder((6, 6))
    mean = b.op("reduce", b.pointwise("mul i0 i0", b.x), kind="mean", dim=0)
    y = b.pointwise("mul i0 i1", b.x, b.pointwise("rsqrt i0", b.pointwise("add i0 1e-06", mean)))
    assert "rms_norm" not in b.after(fuse_rms_norm, dead_code, y=y)


def test_fuse_attention():
    b = Builder((1, 2, 3, 4))  # [B, H, L, D]
    logits = b.pointwise("mul i0 0.5", b.op("matmul", b.x, b.x, transpose_b=1))
    weights = b.op("softmax", b.pointwise("add i0 i1", logits, b.tensor("mask", 3, 3)))
    y = b.op("matmul", weights, b.x, transpose_b=0)
    assert b.after(fuse_attention, dead_code, common_subexpressions, y=y) == lines("""
        %1 f32[1, 3, 2, 4] = permute(%0) {dims=[0, 2, 1, 3]}
        %2 f32[1, 3, 2, 4] = attention(%1, %1, %1, mask) {scale=0.5, causal=0}
        %3 f32[1, 2, 3, 4] = permute(%2) {dims=[0, 2, 1, 3]}
        return y = %3
    """)


def test_weights_that_are_wanted_stay():
    b = Builder((1, 2, 3, 4))
    weights = b.op("softmax", b.op("matmul", b.x, b.x, transpose_b=1))
    y = b.op("matmul", weights, b.x, transpose_b=0)
    assert "attention" not in b.after(fuse_attention, dead_code, y=y, weights=weights)


def test_fold_scales():
    b = Builder((1, 4, 4, 2))
    y = b.pointwise("mul i0 i1", b.conv(b.x, 3), b.tensor("factor", 1, 1, 1, 3))
    y = b.pointwise("add i0 i1", y, b.tensor("offset", 3))
    assert b.after(fold_scales, y=y) == lines("""
        %1 f32[1, 4, 4, 3] = conv2d(%0, w[3x3x3x2], offset[3], _) \
{stride=[1, 1], padding=[1, 1, 1, 1], dilation=[1, 1], groups=1, act=none}
        return y = %1
    """)
    assert b.module.tensors["w[3x3x3x2]"].data[1, 0, 0].tolist() == [18.0, 19.0]  # times factor[1] = 1
    assert b.module.tensors["w[3x3x3x2]"].data[2, 0, 0].tolist() == [72.0, 74.0]


def test_a_weight_with_other_readers_is_not_scaled():
    b = Builder((1, 4, 4, 2))
    plain = b.conv(b.x, 3)
    scaled = b.pointwise("mul i0 i1", plain, b.tensor("factor", 3))
    again = b.conv(b.x, 3)
    assert b.after(fold_scales, plain=again, scaled=scaled).count("mul i0 i1") == 1


def test_sink_permutes():
    b = Builder((2, 4, 5, 3))
    nchw = b.op("permute", b.x, dims=[0, 3, 1, 2])
    y = b.op("pad", b.op("concat", nchw, nchw, dim=1), pads=[0, 0, 0, 0, 1, 0, 0, 2], value=0.0)
    y = b.op("reduce", b.op("slice", y, dim=2, start=1, stop=5, step=2), kind="max", dim=3)
    assert b.after(sink_permutes, dead_code, y=y) == lines("""
        %1 f32[2, 4, 5, 6] = concat(%0, %0) {dim=3}
        %2 f32[2, 5, 7, 6] = pad(%1) {pads=[0, 0, 1, 0, 0, 2, 0, 0], value=0.0}
        %3 f32[2, 2, 7, 6] = slice(%2) {dim=1, start=1, stop=5, step=2}
        %4 f32[2, 2, 1, 6] = reduce(%3) {kind=max, dim=2}
        %5 f32[2, 6, 2, 1] = permute(%4) {dims=[0, 3, 1, 2]}
        return y = %5
    """)


def test_matmul_takes_a_permuted_operand():
    b = Builder((2, 3, 4))
    y = b.op("matmul", b.x, b.op("permute", b.x, dims=[0, 2, 1]), transpose_b=0)
    assert b.after(sink_permutes, dead_code, y=y) == lines("""
        %1 f32[2, 3, 3] = matmul(%0, %0) {transpose_b=1}
        return y = %1
    """)


def test_slice_concat():
    b = Builder((2, 4))
    parts = b.op("concat", b.x, b.tensor("w", 2, 3), dim=1)
    whole = b.op("slice", parts, dim=1, start=4, stop=7, step=1)
    some = b.op("slice", parts, dim=1, start=1, stop=4, step=2)
    both = b.op("slice", parts, dim=1, start=3, stop=5, step=1)
    assert b.after(slice_concat, dead_code, whole=whole, some=some, both=both) == lines("""
        %1 f32[2, 7] = concat(%0, w) {dim=1}
        %2 f32[2, 2] = slice(%0) {dim=1, start=1, stop=4, step=2}
        %3 f32[2, 2] = slice(%1) {dim=1, start=3, stop=5, step=1}
        return whole = w
        return some = %2
        return both = %3
    """)


def test_a_permute_sinks_below_a_row_norm():
    b = Builder((2, 4, 5, 3))
    by_head = b.op("permute", b.x, dims=[0, 2, 1, 3])
    norm = b.op("rms_norm", by_head, b.tensor("w", 1, 3), None, eps=0.5, group_rows=1)
    last = b.op("softmax", b.op("permute", b.x, dims=[0, 3, 1, 2]))
    assert b.after(sink_permutes, dead_code, norm=norm, last=last) == lines("""
        %1 f32[2, 4, 5, 3] = rms_norm(%0, w, _) {eps=0.5, group_rows=1}
        %2 f32[2, 5, 4, 3] = permute(%1) {dims=[0, 2, 1, 3]}
        %3 f32[2, 3, 4, 5] = permute(%0) {dims=[0, 3, 1, 2]}
        %4 f32[2, 3, 4, 5] = softmax(%3)
        return norm = %2
        return last = %4
    """)
