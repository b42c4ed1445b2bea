"""What is wrong with the manifest itself: keys, types, ranges, tensors, state, schedules, start."""

from typing import Any

import numpy as np
import pytest

from tests.program import sample
from tests.program.edit import DROP, edit
from tests.support.package_builder import bare_manifest, pack, seal
from yanrt import _C
from yanrt.errors import PackageError

VALUES = "programs|step|values|0"
STEP = "schedules|main|on_step"

CASES: list[tuple[str, Any, str]] = [
    # the top
    ("format", 2, "update yanrt"),
    ("format", 0, "format 0 is not known"),
    ("format", DROP, "the key 'format' is missing"),
    ("format", "1", "must be an integer"),
    ("colour", 1, "unknown key 'colour'"),
    ("name", 7, "must be a string"),
    ("name", "n" * 300, "has 300 bytes"),
    ("fps", 0, "above 0"),
    ("fps", 1e9, "at most 1000"),
    ("fps", "fast", "must be a number"),
    ("frame|height", 0, "'0' is out of range; must be 1 to 16384"),
    ("frame|width", 2**40, "is out of range"),
    ("frame|temporal_factor", 2000, "'2000' is out of range"),
    ("frame|depth", 3, "unknown key 'depth'"),
    ("batch", 0, "batch: '0' is out of range"),
    ("batch", True, "must be an integer"),
    ("batch", DROP, "the key 'batch' is missing"),
    ("actions|buttons|0|key", DROP, "buttons[0]: the key 'key' is missing"),
    ("actions|buttons|0|colour", 1, "unknown key 'colour'"),
    ("actions|buttons|1|name", "FORWARD", "'FORWARD' is taken"),
    ("state", DROP, "the key 'state' is missing"),
    ("programs", [], "programs: must be an object"),
    # tensors
    ("tensors|nothing", {"crc32c": "00000000"}, "the file has no tensor 'nothing'"),
    ("tensors|mask", {"crc32c": "0000000"}, "eight lower-case hex digits"),
    ("tensors|mask", {"crc32c": "0000000G"}, "eight lower-case hex digits"),
    ("tensors|mask", {"crc32c": "00000000"}, "the manifest says 00000000"),
    ("tensors|mask", {"scale": "conv.bias"}, "only F8_E4M3 takes one"),
    ("tensors|mask", {"colour": 1}, "unknown key 'colour'"),
    ("tensors|linear.fp8", {}, "needs a scale"),
    ("tensors|linear.fp8|scale", "nothing", "no tensor 'nothing' for its scale"),
    ("tensors|linear.fp8|scale", "mask", "'mask' is f32[8, 8]; it must be f32[8]"),
    ("tensors|linear.fp8|input_peak", 0, "input_peak: must be 1e-30 to 1e30"),
    ("tensors|linear.fp8|input_peak", -1.5, "input_peak: must be 1e-30 to 1e30"),
    ("tensors|linear.fp8|input_peak", 1e31, "input_peak: must be 1e-30 to 1e30"),
    ("tensors|linear.fp8|input_peak", "3.5", "input_peak: must be a number"),
    ("tensors|conv.bias", {"input_peak": 1.0}, "belongs to weights, floating and of two dimensions or more"),
    ("tensors|index", {"input_peak": 1.0}, "the tensor is i64[3]"),
    # state
    ("state|last|kind", "vague", "'vague' must be exact or compute"),
    ("state|last|kind", DROP, "the key 'kind' is missing"),
    ("state|last|role", "king", "'king' is no role"),
    ("state|last|dtype", "bf16", "'bf16' is no dtype"),
    ("state|last|colour", 1, "unknown key 'colour'"),
    ("state|last|init", "nothing", "no tensor 'nothing' for its init"),
    ("state|last|init", "mask", "its init 'mask' is f32[8, 8]"),
    ("state|frame|role", "seed", "a second one with the role seed"),
    ("state|seed|shape", [2], "it must be exact, i64[1]"),
    ("state|seed|dtype", "i32", "it must be exact, i64[1]"),
    ("state|frame|kind", "compute", "compute state must be f32"),
    # values and ports
    (f"{VALUES}|dtype", "float", "'float' is no dtype"),
    (f"{VALUES}|shape", [2, 0], "must be 1 to 2147483647"),
    (f"{VALUES}|tensor", "mask", "already a tensor, a state or another input"),
    (f"{VALUES}|colour", 1, "values[0]: unknown key 'colour'"),
    ("programs|step|values|2|state", "last", "cannot be both a tensor and a state"),
    ("programs|step|values|2|tensor", "nothing", "the file has no tensor 'nothing'"),
    ("programs|step|values|2|shape", [4, 24], "is f32[4, 24], but the tensor 'act.weight' is f32[24, 4]"),
    ("programs|step|values|2|dtype", "i32", "is i32[24, 4], but the tensor"),
    ("programs|step|values|5|state", "nothing", "the package has no state 'nothing'"),
    ("programs|step|values|5|shape", [24], "is f32[24], but the state 'last' is f32[1, 2, 3, 4]"),
    ("programs|step|inputs|0|value", 99, "'99' is out of range; must be 0 to 6"),
    ("programs|step|inputs|0|value", -1, "'-1' is out of range"),
    ("programs|step|inputs|0|colour", 1, "unknown key 'colour'"),
    ("programs|append|inputs|1|name", "latent", "'latent' is named twice"),
    ("programs|append|inputs|1|value", 0, "already a tensor, a state or another input"),
    ("programs|step|outputs|0|name", DROP, "the key 'name' is missing"),
    ("programs|step|updates|0|state", "nothing", "update of state 'nothing': the package has no such state"),
    ("programs|step|updates|0|value", 0, "value 0 is f32[1, 2, 2], the state f32[1, 2, 3, 4]"),
    ("programs|step|updates", DROP, "the key 'updates' is missing"),
    ("programs|step|extra", [], "unknown key 'extra'"),
    # schedules
    ("schedules|main|delay", -1, "'-1' is out of range"),
    ("schedules|main|on_stop", [], "unknown key 'on_stop'"),
    ("schedules|main|on_step", [], "no phase reads the slot 'action'"),
    (f"{STEP}|0|program", "nothing", "the package has no program 'nothing'"),
    (f"{STEP}|0|every", 2, "unknown key 'every'"),
    (f"{STEP}|1|name", "step", "an earlier phase has this name"),
    (f"{STEP}|0|in", {}, "input 'action' of the program is bound to no slot"),
    (f"{STEP}|0|in|mood", "action", "the program has no input 'mood'"),
    (f"{STEP}|0|out", {}, "output 'latent' of the program is bound to no slot"),
    (f"{STEP}|0|out|mood", "x", "the program has no output 'mood'"),
    (f"{STEP}|0|out|latent", "action", "fills the slot 'action', which is already filled"),
    (f"{STEP}|1|in|latent", "action", "the slot 'action' is f32[1, 2, 2]"),
    (f"{STEP}|1|in|latent", "nothing", "reads the slot 'nothing', which nobody has filled yet"),
    (f"{STEP}|1|out|frames", "pictures", "no phase fills the slot 'frames'"),
    (f"{STEP}|1", DROP, "no phase fills the slot 'frames'"),
    ("frame|height", 5, "it must be u8[1, 2, 5, 6, 3]"),
    ("actions|buttons|1", DROP, "must be [2, 3, 2, 1]"),
    ("schedules|main|on_append", DROP, "no on_append to take what it encodes"),
    ("schedules|main|on_append|0|in|action", "latent", "the slot 'latent' is f32[1, 2, 2]"),
    ("schedules|main|on_encode|0|out|latent", "code", "no phase fills the slot 'latent'"),
    # start
    ("start|latents", "nothing", "the file has no tensor 'nothing'"),
    ("start|latents", DROP, "the file has no tensor ''"),
    ("start|actions", "mask", "are [8, 8]; must be [2, 3, 2, 2]"),
    ("start|latents", "mask", "must be [S, N, h, w, c]"),
    ("start|colour", 1, "unknown key 'colour'"),
]


def read(manifest: dict[str, Any]) -> None:
    _C.Package.from_bytes(pack(manifest, sample.tensors()), "bad.safetensors")


@pytest.mark.parametrize(("path", "value", "fragment"), CASES)
def test_refused(path: str, value: Any, fragment: str) -> None:
    manifest = sample.manifest()
    edit(manifest, path, value)
    with pytest.raises(PackageError) as error:
        read(manifest)
    assert str(error.value).startswith("bad.safetensors: ")
    assert fragment in str(error.value)


def test_tensor_without_checksum() -> None:
    entries = {"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}
    with pytest.raises(PackageError, match="the tensor 'a' of the file has no checksum here"):
        _C.Package.from_bytes(seal({**bare_manifest({}), "tensors": {}}, entries, b"x"), "bad")


def test_states_of_the_most_bytes() -> None:
    manifest = sample.manifest()
    for i in range(9):
        manifest["state"][f"huge{i}"] = {"dtype": "i64", "shape": [2**30], "kind": "exact"}
    with pytest.raises(PackageError, match="the states take more than 64 GiB"):
        read(manifest)


def test_values_of_the_most_bytes() -> None:
    manifest = sample.manifest()
    manifest["programs"]["step"]["values"] += [{"dtype": "i64", "shape": [2**30]}] * 129
    with pytest.raises(PackageError, match="its values take more than 1024 GiB"):
        read(manifest)


def test_start_of_another_latent() -> None:
    tensors = sample.tensors()
    tensors["start.latents"] = np.zeros((2, 3, 2, 3, 5), np.float32)
    with pytest.raises(PackageError, match=r"are \[2, 3, 2, 3, 5\], but schedule 'main' takes \[2, 3, 2, 3, 4\]"):
        _C.Package.from_bytes(pack(sample.manifest(), tensors), "bad")


def test_start_that_is_not_f32() -> None:
    tensors = sample.tensors()
    tensors["start.actions"] = np.zeros((2, 3, 2, 2), np.int32)
    with pytest.raises(PackageError, match=r"'start.actions' is i32\[2, 3, 2, 2\]; it must be f32"):
        _C.Package.from_bytes(pack(sample.manifest(), tensors), "bad")


def test_one_event_updates_a_state_once_and_reads_it_before() -> None:
    manifest = sample.manifest()
    phases = manifest["schedules"]["main"]["on_step"]
    phases.insert(1, {"name": "again", "program": "append", "in": {"latent": "latent", "action": "action"}, "out": {}})
    with pytest.raises(PackageError, match="phase 'again': updates the state 'last', as an earlier phase"):
        read(manifest)
    phases[1] = {"name": "again", "program": "step", "in": {"action": "action"}, "out": {"latent": "second"}}
    with pytest.raises(PackageError, match="phase 'again': reads the state 'last', which an earlier phase"):
        read(manifest)


def test_provenance_may_hold_anything() -> None:
    manifest = sample.manifest()
    manifest["provenance"] = {"commit": "abc", "deep": [{"er": [1, 2.5, None, True]}]}
    read(manifest)
