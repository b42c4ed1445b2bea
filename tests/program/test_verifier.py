"""What is wrong with an op: operands, attributes, shapes, dtypes, order. One line a reason."""

from typing import Any

import pytest

from tests.program import sample
from tests.program.edit import DROP, edit
from tests.support.package_builder import ProgramBuilder, bare_manifest, pack
from yanrt import _C
from yanrt.errors import PackageError

# (path below programs|every_op|ops, value, what the message says)
OPS: list[tuple[str, Any, str]] = [
    ("conv2d|op", "conv3d", "'conv3d' is no op of this build"),
    ("conv2d|in", [0, 1], "has 2 operands; it takes 4"),
    ("conv2d|in|0", 9999, "'9999' is out of range"),
    ("conv2d|in|0", -1, "operand 0 (x) is absent, but not optional"),
    ("conv2d|in|0", -2, "'-2' is out of range"),
    ("conv2d|in|1", 0, "operand 1 (weight), value 0, must be a tensor of the file"),
    ("conv2d|in|0", 33, "reads value 33 before it is made"),
    ("conv2d|out", [], "has 0 outputs; it gives 1"),
    ("conv2d|out|0", -1, "'-1' is out of range"),
    ("conv2d|out|0", 0, "writes value 0, which is already"),
    ("conv2d|out|0", 4, "op 1 (group_norm, 'test.group_norm'): operand 0 (x) reads value 3 before it is made"),
    ("conv2d|colour", 1, "unknown key 'colour'"),
    ("conv2d|attrs|colour", 1, "unknown key 'colour'; known: stride, padding"),
    ("conv2d|attrs|stride", DROP, "the key 'stride' is missing"),
    ("conv2d|attrs|stride", 1, "must be a list"),
    ("conv2d|attrs|stride", [1], "must have 2, 4"),
    ("conv2d|attrs|stride", [0, 1], "attribute stride = 0 must be from 1"),
    ("conv2d|attrs|stride", [2, 1], "its shape must be [1, 2, 4, 8]"),
    ("conv2d|attrs|padding", [1, 1, 1, -1], "attribute padding = -1"),
    ("conv2d|attrs|padding", [3, 1, 1, 1], "attribute padding = 3 must be from 0 to 2"),
    ("conv2d|attrs|dilation", [0, 1], "attribute dilation = 0"),
    ("conv2d|attrs|dilation", [9, 9], "smaller than the 19 pixels"),
    ("conv2d|attrs|dilation", [2**62, 1], "attribute dilation = 4611686018427387904"),
    ("conv2d|attrs|groups", 0, "attribute groups = 0 must be from 1 to 8"),
    ("conv2d|attrs|groups", 3, "attribute groups = 3 must divide the 8 channels of x"),
    ("conv2d|attrs|groups", 1, "weight is f32[8, 3, 3, 4]; its shape must be [8, 3, 3, 8]"),
    ("conv2d|attrs|act", "swish", "'swish' must be one of none,gelu"),
    ("conv2d|attrs|act", "none,gelu", "'none,gelu' must be one of"),
    ("group_norm|attrs|groups", 3, "groups = 3 does not divide the 8 channels"),
    ("group_norm|attrs|groups", 0, "attribute groups = 0"),
    ("group_norm|attrs|eps", -1e-5, "must not be negative"),
    ("group_norm|attrs|eps", "small", "must be a number"),
    ("group_norm|in|1", 6, "scale is f32[2, 8]; its shape must be [8]"),
    ("layer_norm|attrs|group_rows", 0, "attribute group_rows = 0 must be from 1"),
    ("layer_norm|attrs|group_rows", 1.5, "must be an integer"),
    ("layer_norm|attrs|eps", 1e300, "is no f32 number"),
    ("layer_norm|in|1", 2, "scale is f32[8]; it must have 2 dimensions"),
    ("layer_norm|in|2", 9, "shift is f32[8, 8]; its shape must be [2, 8]"),
    ("linear|attrs|gate_rows", 0, "attribute gate_rows = 0"),
    ("linear|in|1", 1, "weight is f32[8, 3, 3, 4]; it must have 2 dimensions"),
    ("linear|in|1", 19, "its shape must be [2, 8]"),
    ("linear|in|2", 9, "bias is f32[8, 8]; its shape must be [8]"),
    ("linear|in|3", 0, "gate is f32[1, 4, 4, 8]; it must have 2 dimensions"),
    ("linear|in|4", 6, "residual is f32[2, 8]; its shape must be [16, 8]"),
    ("reduce|attrs|kind", "median", "'median' must be one of sum,mean,max,min"),
    ("reduce|attrs|dim", 4, "attribute dim = 4 must be from 0 to 3"),
    ("reduce|attrs|dim", 2, "its shape must be [1, 4, 1, 8]"),
    ("reduce|in|0", 28, "kind = mean of integers; x is i64[3]"),
    ("softmax|in|0", 28, "x is i64[3]; its dtype must be f32"),
    ("softmax|in|0", 9, "its shape must be [8, 8]"),
    ("rms_norm|attrs|group_rows", 0, "attribute group_rows = 0"),
    ("rms_norm|attrs|eps", -1.0, "must not be negative"),
    ("rms_norm|in|1", 2, "scale is f32[8]; it must have 2 dimensions"),
    ("matmul|attrs|transpose_b", 2, "attribute transpose_b = 2 must be from 0 to 1"),
    ("matmul|attrs|transpose_b", 0, "b is f32[1, 4, 4, 8]; its shape must be [1, 4, 8, 8]"),
    ("matmul|in|1", 9, "b is f32[8, 8]; it must have 4 dimensions"),
    ("matmul|in|0", 28, "must be f32"),
    ("reshape|attrs|shape", [8, 16], "y is f32[16, 8]; its shape must be [8, 16]"),
    ("reshape|attrs|shape", [16, -1], "its shape must be [16, -1]"),
    ("reshape|attrs|shape", [1] * 9, "more than 8 dimensions"),
    ("reshape|in|0", 6, "not as many elements as y"),
    ("reshape|in|0", 28, "operand 0 is i64[3]; its dtype must be f32"),
    ("permute|attrs|dims", [0, 1, 3, 2], "dims has 4 entries; x has 5 dimensions"),
    ("permute|attrs|dims", [0, 1, 3, 3, 4], "names dimension 3 twice"),
    ("permute|attrs|dims", [0, 1, 3, 2, 5], "attribute dims = 5"),
    ("permute|attrs|dims", [0, 1, 3, -2, 4], "attribute dims = -2"),
    ("slice|attrs|dim", 5, "attribute dim = 5 must be from 0 to 4"),
    ("slice|attrs|dim", -1, "attribute dim = -1"),
    ("slice|attrs|start", -1, "attribute start = -1"),
    ("slice|attrs|start", 8, "attribute start = 8 must be from 0 to 7"),
    ("slice|attrs|stop", 9, "attribute stop = 9 must be from 1 to 8"),
    ("slice|attrs|stop", 2**63 - 1, "attribute stop = 9223372036854775807"),
    ("slice|attrs|stop", 2**63, "'9223372036854775808' is out of range"),
    ("slice|attrs|step", 0, "attribute step = 0"),
    ("slice|attrs|step", 3, "its shape must be [1, 2, 2, 3, 4]"),
    ("expand|attrs|shape", [2, 8, 3], "its shape must be [2, 8, 3]"),
    ("expand|in|0", 9, "x is f32[8, 8], which does not broadcast to [2, 3, 8]"),
    ("copy|in|0", 23, "its shape must be [1, 2, 2, 8, 4]"),
    ("concat|in", [], "has 0 operands; 1 to 256"),
    ("concat|in", [25] * 257, "has 257 operands"),
    ("concat|in|1", -1, "operand 1 (x) is absent"),
    ("concat|in|1", 23, "operand 1 is f32[1, 2, 2, 8, 4]; its shape must be [1, 2, 2, 4, 4]"),
    ("concat|in|1", 9, "operand 1 is f32[8, 8]; it must have 5 dimensions"),
    ("concat|attrs|dim", 5, "attribute dim = 5"),
    ("concat|attrs|dim", 3, "its shape must be [1, 2, 2, 8, 4]"),
    ("pad|attrs|pads", [0] * 8, "pads has 8 entries"),
    ("pad|attrs|pads", [0, 0, 0, 0, 0, 0, -1, 2, 0, 0], "attribute pads = -1"),
    ("pad|attrs|pads", [0] * 10, "its shape must be [1, 2, 2, 4, 8]"),
    ("pad|attrs|value", 1e39, "is no f32 number"),
    ("gather|in|0", 2, "table is f32[8]; it must have 2 dimensions"),
    ("gather|in|1", 2, "index is f32[8]; its dtype must be i64"),
    ("gather|in|1", 19, "index is f32[2, 6]; its dtype must be i64"),
    ("gather|in|1", 17, "its shape must be [1, 8]"),
    ("randn|in|0", 28, "seed is i64[3]; its shape must be [1]"),
    ("randn|in|1", 2, "counter is f32[8]; its dtype must be i64"),
    ("pointwise|attrs|expr", [], "0 instructions"),
    ("pointwise|attrs|expr", ["neg i0"] * 129, "129 instructions"),
    ("pointwise|attrs|expr", ["twice i0"], "unknown name 'twice'"),
    ("pointwise|attrs|expr", [""], "unknown name ''"),
    ("pointwise|attrs|expr", ["add i0"], "an argument is missing"),
    ("pointwise|attrs|expr", ["neg i0 i1"], "one argument too many"),
    ("pointwise|attrs|expr", ["add i0 i2"], "'i2' is out of range; there are 2 inputs"),
    ("pointwise|attrs|expr", ["add i0 i-1"], "'i-1' is out of range"),
    ("pointwise|attrs|expr", ["add i0 %0"], "'%0' is out of range; there are 0 instructions before this one"),
    ("pointwise|attrs|expr", ["add i0 %99999999999"], "is out of range"),
    ("pointwise|attrs|expr", ["add i0 x"], "'x' is no argument"),
    ("pointwise|attrs|expr", ["add i0 1.0.0"], "'1.0.0' is no f32 number"),
    ("pointwise|attrs|expr", ["add i0 1e39"], "'1e39' is no f32 number"),
    ("pointwise|attrs|expr", ["add 1 99999999999999999999"], "is no 64-bit integer"),
    ("pointwise|attrs|expr", ["add i0 1"], "'add' wants float where it gets int"),
    ("pointwise|attrs|expr", ["exp 1"], "'exp' wants float where it gets int"),
    ("pointwise|attrs|expr", ["where i0 i0 i1"], "'where' wants int where it gets float"),
    ("pointwise|attrs|expr", ["where 1 i0 1"], "'where' wants float where it gets int"),
    ("pointwise|attrs|expr", ["float i0"], "'float' wants int where it gets float"),
    ("pointwise|attrs|expr", ["clamp i0 0 1"], "'clamp' wants float where it gets int"),
    ("pointwise|attrs|expr", ["lt i0 i1"], "expr gives int, which cannot be stored as f32"),
    ("pointwise|attrs|expr", "neg i0", "must be a list"),
    ("pointwise|in|0", 9, "operand 0 is f32[8, 8], which does not broadcast to [2, 3, 8]"),
    ("pointwise|in", [32] * 17, "has 17 inputs; at most 16"),
    ("attention|in|1", 6, "k is f32[2, 8]; it must have 5 dimensions"),
    ("attention|in|2", 15, "v is f32[1, 4, 8, 2, 4]; its shape must be [1, 2, 8, 2, 4]"),
    ("attention|in|3", 19, "mask is f32[2, 6], which does not broadcast to [1, 2, 2, 8, 8]"),
    ("attention|attrs|causal", 2, "attribute causal = 2"),
    ("attention|attrs|causal", True, "must be an integer"),
    ("ring_attention|in|1", 15, "k is f32[1, 4, 8, 2, 4]; its shape must be [1, 2, 8, 2, 4]"),
    ("ring_attention|in|3", 14, "its shape must be"),
    ("ring_attention|in|4", 15, "is the state 'k', as another operand is"),
    ("ring_attention|in|5", 28, "frame is i64[3]; its shape must be [1]"),
    ("ring_attention|in|6", 2, "first_valid is f32[8]; its dtype must be i64"),
    ("ring_attention|in|7", 9, "bias is f32[8, 8]; its shape must be [2, 8]"),
    ("ring_attention|attrs|commit", 3, "attribute commit = 3 must be from 0 to 2"),
    ("ring_attention|attrs|commit", 2, "history + commit = 5 frames do not fit the 4 slots"),
    ("ring_attention|attrs|commit", -1, "attribute commit = -1"),
    ("ring_attention|attrs|history", -1, "attribute history = -1"),
    ("ring_attention|attrs|history", 2**63 - 1, "attribute history = 9223372036854775807"),
    ("ring_attention|attrs|scope", "room", "'room' must be one of position,frame"),
    ("ring_attention|attrs|scale", 1e300, "is no f32 number"),
]


@pytest.mark.parametrize(("path", "value", "fragment"), OPS)
def test_refused(path: str, value: Any, fragment: str) -> None:
    manifest = sample.manifest()
    edit(manifest, f"programs|every_op|ops|{path}", value)
    with pytest.raises(PackageError) as error:
        _C.Package.from_bytes(pack(manifest, sample.tensors()), "bad.safetensors")
    message = str(error.value)
    assert message.startswith("bad.safetensors: ")
    assert "every_op" in message
    assert fragment in message


def test_the_sample_has_every_op() -> None:
    used = {op["op"] for op in sample.every_op()["ops"]}
    assert used == {op["name"] for op in _C.op_table()}


def refuse(program: ProgramBuilder, fragment: str, states: dict[str, Any] | None = None) -> None:
    manifest = bare_manifest({"p": program.build()}, states or {})
    with pytest.raises(PackageError) as error:
        _C.Package.from_bytes(pack(manifest), "bad.safetensors")
    assert fragment in str(error.value)


def test_value_that_nobody_makes() -> None:
    p = ProgramBuilder()
    p.value("f32", [2])
    refuse(p, "value 0 is no input, tensor or state, and no op makes it")


def test_causal_queries_that_see_no_key() -> None:
    p = ProgramBuilder()
    q, k = p.input("q", "f32", [4, 1, 8]), p.input("k", "f32", [3, 1, 8])
    p.op("attention", [q, k, k, -1], "f32", [4, 1, 8], scale=1.0, causal=1)
    refuse(p, "causal with 3 keys for 4 queries")


def test_bias_with_too_few_distances() -> None:
    manifest = sample.manifest()
    manifest["programs"]["every_op"]["values"][19]["shape"] = [2, 4]
    tensors = sample.tensors()
    tensors["ring.bias"] = tensors["ring.bias"][:, :4]  # type: ignore[index]
    with pytest.raises(PackageError, match="frames are up to 5 apart"):
        _C.Package.from_bytes(pack(manifest, tensors), "bad")


def ring_program(source: dict[str, str]) -> ProgramBuilder:
    p = ProgramBuilder()
    q = p.input("q", "f32", [1, 1, 2, 1, 8])
    k = p.value("f32", [1, 2, 2, 1, 8], **source) if source else p.input("k", "f32", [1, 2, 2, 1, 8])
    v = p.value("f32", [1, 2, 2, 1, 8], state="v")
    frame = p.input("frame", "i64", [1])
    attrs = {"commit": 1, "history": 1, "scope": "frame", "scale": 1.0}
    p.op("ring_attention", [q, q, q, k, v, frame, frame, -1], "f32", [1, 1, 2, 1, 8], **attrs)
    return p


def test_rings_are_compute_states_that_nothing_else_updates() -> None:
    states = {name: {"dtype": "f32", "shape": [1, 2, 2, 1, 8], "kind": "compute"} for name in "kv"}
    refuse(ring_program({}), "operand 3 (k_ring) must be a state", states)
    program = ring_program({"state": "k"})
    refuse(program, "'k', whose kind must be compute", {**states, "k": {**states["k"], "kind": "exact"}})
    program.update("k", program.op("copy", [1], "f32", [1, 2, 2, 1, 8]))
    refuse(program, "'k', which the program also updates", states)


@pytest.mark.parametrize(
    ("dtype", "value"), [("u8", 256), ("u8", -1), ("u8", 0.5), ("bool", 2), ("i32", 2**31), ("i64", 2**60)]
)
def test_pad_value_of_another_type(dtype: str, value: float) -> None:
    p = ProgramBuilder()
    p.op("pad", [p.input("x", dtype, [2])], dtype, [3], pads=[0, 1], value=value)
    refuse(p, f"is no {dtype}")


def test_pointwise_without_inputs_and_special_literals() -> None:
    p = ProgramBuilder()
    p.output("y", p.op("pointwise", [], "f32", [2], expr=["where 1 -inf nan"]))
    package = _C.Package.from_bytes(pack(bare_manifest({"p": p.build()})), "good")
    assert "pointwise() {expr=[where 1 -inf nan]}" in package.dump("p")
