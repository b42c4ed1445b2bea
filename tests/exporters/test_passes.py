"""Each pass by the text of a program before and after it."""

import numpy as np
import pytest

from exporters.ir import IRError, Module, State, Value
from exporters.ir.graph import Graph
from exporters.passes import (
    PASSES,
    common_subexpressions,
    dead_code,
    drop_expands,
    fold_constants,
    fuse_activation,
    fuse_gate,
    fuse_modulate,
    fuse_pointwise,
    fuse_residual,
    hoist_reshapes,
    optimize,
    permute_last,
    simplify_views,
    sink_views,
)
from tests.support.ir_builder import Builder, lines


def test_dead_code_keeps_what_is_read_and_what_writes_state():
    b = Builder((1, 1, 2, 1, 4))
    for name in ("k", "v"):
        b.module.states[name] = State("f32", (1, 4, 2, 1, 4), "compute")
    b.module.states["n"] = State("i64", (1,))
    rings = [Value("f32", (1, 4, 2, 1, 4), "state", name) for name in ("k", "v")]
    n = Value("i64", (1,), "state", "n")
    for commit in (0, 1):
        attrs = {"commit": commit, "history": 3, "scope": "position", "scale": 0.5}
        b.pointwise("neg i0", b.op("ring_attention", b.x, b.x, b.x, *rings, n, n, None, **attrs))
    text = b.after(dead_code, y=b.pointwise("exp i0", b.x))
    assert text == lines("""
        %1 f32[1, 1, 2, 1, 4] = ring_attention(%0, %0, %0, $k, $v, $n, $n, _) {commit=1, history=3, scope=position, scale=0.5}
        %2 f32[1, 1, 2, 1, 4] = pointwise(%0) {expr=[exp i0]}
        return y = %2""")  # noqa: E501


def test_common_subexpressions():
    b = Builder((2, 3))
    a, same, other = (b.pointwise(text, b.x) for text in ("exp i0", "exp i0", "neg i0"))
    text = b.after(common_subexpressions, y=b.pointwise("add i0 i1", a, same), z=other)
    assert text == lines("""
        %1 f32[2, 3] = pointwise(%0) {expr=[exp i0]}
        %2 f32[2, 3] = pointwise(%0) {expr=[neg i0]}
        %3 f32[2, 3] = pointwise(%1, %1) {expr=[add i0 i1]}
        return y = %3
        return z = %2""")


def test_fold_constants_computes_views_of_tensors():
    b = Builder((2, 3))
    table = b.op("reshape", b.op("permute", b.tensor("t", 3, 2), dims=[1, 0]), shape=[1, 2, 3])
    text = b.after(fold_constants, y=b.pointwise("add i0 i1", b.x, table))
    assert text == lines("""
        %1 f32[1, 2, 3] = pointwise(%0, t[2x3][1x2x3]) {expr=[add i0 i1]}
        return y = %1""")
    np.testing.assert_array_equal(b.module.tensors["t[2x3][1x2x3]"].data, [[[0, 2, 4], [1, 3, 5]]])


def test_drop_expands():
    b = Builder((2, 3))
    wide = b.op("expand", b.tensor("t", 1, 3), shape=[2, 3])
    assert b.after(drop_expands, dead_code, y=b.pointwise("add i0 i1", b.x, wide)) == lines("""
        %1 f32[2, 3] = pointwise(%0, t) {expr=[add i0 i1]}
        return y = %1""")


def test_simplify_views_cancels():
    b = Builder((2, 3, 4))
    y = b.op("permute", b.op("permute", b.x, dims=[2, 0, 1]), dims=[1, 2, 0])
    y = b.op("reshape", b.op("reshape", y, shape=[6, 4]), shape=[2, 3, 4])
    assert b.after(simplify_views, dead_code, y=b.pointwise("neg i0", y)) == lines("""
        %1 f32[2, 3, 4] = pointwise(%0) {expr=[neg i0]}
        return y = %1""")


def test_simplify_views_joins_a_pixel_shuffle_and_the_permutes_around_it():
    b = Builder((1, 2, 3, 12))  # NHWC -> NCHW -> pixel shuffle by 2 -> NHWC
    y = b.op("permute", b.x, dims=[0, 3, 1, 2])
    y = b.op("permute", b.op("reshape", y, shape=[1, 3, 2, 2, 2, 3]), dims=[0, 1, 4, 2, 5, 3])
    y = b.op("permute", b.op("reshape", y, shape=[1, 3, 4, 6]), dims=[0, 2, 3, 1])
    assert b.after(simplify_views, dead_code, y=y) == lines("""
        %1 f32[2, 3, 3, 2, 2] = reshape(%0) {shape=[2, 3, 3, 2, 2]}
        %2 f32[2, 2, 3, 2, 3] = permute(%1) {dims=[0, 3, 1, 4, 2]}
        %3 f32[1, 4, 6, 3] = reshape(%2) {shape=[1, 4, 6, 3]}
        return y = %3""")


@pytest.mark.parametrize("seed", range(40))
def test_simplified_views_move_every_element_to_the_same_place(seed):
    """Random chains of reshapes and permutes, evaluated by numpy before and after."""
    rng = np.random.default_rng(seed)
    b = Builder((2, 1, 6, 4))
    value, data = b.x, np.arange(48).reshape(2, 1, 6, 4)
    shapes = [(2, 6, 4), (12, 4), (2, 3, 2, 4), (48,), (8, 6), (1, 4, 3, 2, 2), (3, 16), (2, 1, 6, 4)]
    for _ in range(6):
        if rng.random() < 0.5:
            shape = shapes[rng.integers(len(shapes))]
            value, data = b.op("reshape", value, shape=list(shape)), data.reshape(shape)
        else:
            dims = [int(dim) for dim in rng.permutation(data.ndim)]
            value, data = b.op("permute", value, dims=dims), data.transpose(dims)
    before = len(b.program.ops)
    b.after(simplify_views, dead_code, y=value)
    assert len(b.program.ops) <= before
    results = {b.x: np.arange(48).reshape(2, 1, 6, 4)}
    for op in b.program.ops:
        x = results[op.inputs[0]]
        results[op.output] = x.reshape(op.attrs["shape"]) if op.name == "reshape" else x.transpose(op.attrs["dims"])
    np.testing.assert_array_equal(results[b.program.outputs["y"]], data)


def test_hoist_reshapes():
    b = Builder((6, 4))
    y = b.op("reshape", b.linear(b.x, 5), shape=[2, 3, 5])
    assert b.after(hoist_reshapes, y=b.pointwise("neg i0", y)) == lines("""
        %1 f32[2, 3, 4] = reshape(%0) {shape=[2, 3, 4]}
        %2 f32[2, 3, 5] = linear(%1, w, _, _, _) {act=none, gate_rows=1}
        %3 f32[2, 3, 5] = pointwise(%2) {expr=[neg i0]}
        return y = %3""")


def test_sink_views_takes_broadcast_operands_along():
    b = Builder((1, 2, 3, 4))
    permuted = b.op("permute", b.x, dims=[0, 3, 1, 2])
    y = b.pointwise("mul i0 i1", permuted, b.tensor("t", 4, 1, 1))
    text = b.after(sink_views, fold_constants, dead_code, y=b.op("permute", y, dims=[0, 2, 3, 1]))
    assert text == lines("""
        %1 f32[1, 2, 3, 4] = pointwise(%0, t[1x4x1x1][1x1x1x4]) {expr=[mul i0 i1]}
        %2 f32[1, 4, 2, 3] = permute(%1) {dims=[0, 3, 1, 2]}
        %3 f32[1, 2, 3, 4] = permute(%2) {dims=[0, 2, 3, 1]}
        return y = %3""")


def test_fuse_modulate_with_tables_over_groups_of_rows():
    b = Builder((2, 3, 5, 4))
    y = b.pointwise("mul i0 i1", b.norm(b.x), b.tensor("scale", 3, 1, 4))
    y = b.pointwise("add i1 i0", b.tensor("shift", 1, 3, 1, 4), y)
    assert b.after(fuse_modulate, fold_constants, y=y) == lines("""
        %1 f32[2, 3, 5, 4] = layer_norm(%0, scale[3x4], shift[3x4]) {eps=1e-05, group_rows=5}
        return y = %1""")


@pytest.mark.parametrize("shape", [(2, 1, 5, 4), (5, 1), (2, 3, 5, 1), (3, 1, 1)])
def test_fuse_modulate_refuses_what_is_no_table_over_rows(shape):
    b = Builder((2, 3, 5, 4))
    text = b.after(fuse_modulate, y=b.pointwise("mul i0 i1", b.norm(b.x), b.tensor("t", *shape)))
    assert text.count("pointwise") == 1


def test_fuse_modulate_keeps_a_shift_with_other_groups():
    b = Builder((2, 3, 5, 4))
    y = b.pointwise("mul i0 i1", b.norm(b.x), b.tensor("scale", 3, 1, 4))
    text = b.after(fuse_modulate, fold_constants, y=b.pointwise("add i0 i1", y, b.tensor("shift", 5, 4)))
    assert text == lines("""
        %1 f32[2, 3, 5, 4] = layer_norm(%0, scale[3x4], _) {eps=1e-05, group_rows=5}
        %2 f32[2, 3, 5, 4] = pointwise(%1, shift) {expr=[add i0 i1]}
        return y = %2""")


def test_fuse_linear_activation_gate_and_residual():
    b = Builder((2, 3, 4))
    y = b.pointwise("gelu_tanh i0", b.linear(b.x, 4))
    y = b.pointwise("mul i1 i0", y, b.tensor("gate", 2, 1, 4))
    text = b.after(fuse_activation, fuse_gate, fuse_residual, fold_constants, y=b.pointwise("add i0 i1", b.x, y))
    assert text == lines("""
        %1 f32[2, 3, 4] = linear(%0, w, _, gate[2x4], %0) {act=gelu_tanh, gate_rows=3}
        return y = %1""")


def test_fusion_stops_at_a_result_that_others_read():
    b = Builder((2, 4))
    y = b.linear(b.x, 4)
    z = b.pointwise("add i0 i1", b.pointwise("relu i0", y), b.x)
    text = b.after(fuse_activation, fuse_gate, fuse_residual, y=y, z=z)
    assert text.count("pointwise") == 2


def test_fuse_activation_stays_before_gate_and_residual():
    """act(residual + x w) is not residual + act(x w)."""
    b = Builder((2, 4))
    y = b.pointwise("relu i0", b.pointwise("add i0 i1", b.linear(b.x, 4), b.x))
    assert b.after(fuse_residual, fuse_activation, y=y) == lines("""
        %1 f32[2, 4] = linear(%0, w, _, _, %0) {act=none, gate_rows=1}
        %2 f32[2, 4] = pointwise(%1) {expr=[relu i0]}
        return y = %2""")


def test_fuse_residual_takes_the_later_of_two_candidates():
    b = Builder((2, 4))
    first = b.linear(b.x, 4, "a")
    second = b.linear(first, 4, "b")
    assert b.after(fuse_residual, y=b.pointwise("add i0 i1", second, first)) == lines("""
        %1 f32[2, 4] = linear(%0, a, _, _, _) {act=none, gate_rows=1}
        %2 f32[2, 4] = linear(%1, b, _, _, %1) {act=none, gate_rows=1}
        return y = %2""")


def test_fuse_conv_activation_and_residual():
    b = Builder((1, 4, 4, 2))
    y = b.pointwise("add i0 i1", b.pointwise("silu i0", b.conv(b.x, 2)), b.x)
    assert b.after(fuse_activation, fuse_residual, y=y) == lines("""
        %1 f32[1, 4, 4, 2] = conv2d(%0, w, _, %0) {stride=[1, 1], padding=[1, 1, 1, 1], dilation=[1, 1], groups=1, act=silu}
        return y = %1""")  # noqa: E501


def test_fuse_residual_moves_before_a_permute():
    """Where a convolution meets NCHW; what is added was tokens, and becomes the convolution's residual in one copy."""
    b = Builder((1, 4, 4, 2))
    tokens = b.op("reshape", b.op("reshape", b.x, shape=[4, 8]), shape=[2, 2, 2, 2, 2])
    cells = b.op("reshape", b.op("permute", tokens, dims=[4, 0, 2, 1, 3]), shape=[1, 2, 4, 4])
    picture = b.op("permute", b.conv(b.x, 2), dims=[0, 3, 1, 2])
    y = b.pointwise("exp i0", b.pointwise("add i0 i1", cells, picture))
    assert b.after(fuse_residual, simplify_views, dead_code, y=y) == lines("""
        %1 f32[2, 2, 2, 4] = reshape(%0) {shape=[2, 2, 2, 4]}
        %2 f32[2, 2, 2, 4] = permute(%1) {dims=[0, 2, 1, 3]}
        %3 f32[1, 4, 4, 2] = reshape(%2) {shape=[1, 4, 4, 2]}
        %4 f32[1, 4, 4, 2] = conv2d(%0, w, _, %3) {stride=[1, 1], padding=[1, 1, 1, 1], dilation=[1, 1], groups=1, act=none}
        %5 f32[1, 2, 4, 4] = permute(%4) {dims=[0, 3, 1, 2]}
        %6 f32[1, 2, 4, 4] = pointwise(%5) {expr=[exp i0]}
        return y = %6""")  # noqa: E501


def test_fuse_pointwise_renumbers_and_shares_operands():
    b = Builder((2, 3))
    y = b.pointwise("add i0 i1", b.x, b.tensor("t", 3))
    y = b.pointwise("mul i1 i0", y, b.x)
    y = b.pointwise("clamp i0 0.0 1.0", y)
    assert b.after(fuse_pointwise, y=y) == lines("""
        %1 f32[2, 3] = pointwise(%0, t) {expr=[add i0 i1; mul i0 %0; clamp %1 0.0 1.0]}
        return y = %1""")


def test_fuse_pointwise_keeps_a_store_that_narrows():
    b = Builder((2, 3))
    narrow = b.pointwise("max i0 0.0", b.x, dtype="u8")
    text = b.after(fuse_pointwise, y=b.pointwise("float i0", narrow))
    assert text.count("pointwise") == 2


def test_fuse_pointwise_does_not_repeat_a_small_result():
    b = Builder((3,))
    text = b.after(fuse_pointwise, y=b.pointwise("add i0 i1", b.pointwise("exp i0", b.x), b.tensor("t", 4, 3)))
    assert text.count("pointwise") == 2


def test_permute_last_lets_the_last_pointwise_write_in_the_final_order():
    b = Builder((4, 6))
    pixels = b.pointwise("add i0 i1", b.op("reshape", b.x, shape=[4, 3, 2]), b.tensor("t", 1, 3, 1))
    shuffled = b.op("reshape", b.op("permute", pixels, dims=[0, 2, 1]), shape=[8, 3])
    assert b.after(permute_last, y=shuffled) == lines("""
        %1 f32[4, 3, 2] = reshape(%0) {shape=[4, 3, 2]}
        %2 f32[4, 2, 3] = permute(%1) {dims=[0, 2, 1]}
        %3 f32[1, 1, 3] = permute(t) {dims=[0, 2, 1]}
        %4 f32[4, 2, 3] = pointwise(%2, %3) {expr=[add i0 i1]}
        %5 f32[8, 3] = reshape(%4) {shape=[8, 3]}
        return y = %5""")


def test_permute_last_leaves_what_a_kernel_reads():
    """It may read the permuted values as they lie."""
    b = Builder((4, 6))
    text = b.after(permute_last, y=b.op("softmax", b.op("permute", b.pointwise("exp i0", b.x), dims=[1, 0])))
    assert text == lines("""
        %1 f32[4, 6] = pointwise(%0) {expr=[exp i0]}
        %2 f32[6, 4] = permute(%1) {dims=[1, 0]}
        %3 f32[6, 4] = softmax(%2)
        return y = %3""")


def test_a_pass_that_breaks_a_program_is_caught():
    b = Builder((2, 3))
    b.program.outputs["y"] = b.pointwise("exp i0", b.x)

    def broken(module: Module, graph: Graph) -> None:
        graph.program.ops.clear()

    with pytest.raises(IRError, match="output 'y' is defined by nothing"):
        optimize(b.module, (*PASSES, broken))
