"""The choice of the instruction set: what exists, what this processor runs, and what is refused."""

import re
from typing import Any

import pytest

from tests.support.package_builder import ProgramBuilder, bare_manifest, pack
from tests.support.run_op import native_isas, runnable_isas
from yanrt import _C
from yanrt.errors import ArgumentError, UnsupportedError

NATIVE = ("generic", "avx2", "avx2_vnni", "avx512", "avx512_vnni", "avx512_bf16", "amx")


def engine(isa: str, threads: int = 1) -> Any:
    p = ProgramBuilder()
    p.output("y", p.op("copy", [p.input("x", "f32", [1])], "f32", [1]))
    package = _C.Package.from_bytes(pack(bare_manifest({"run": p.build()})), "isa")
    return _C.Engine(package, "cpu", "fp32", threads, isa)


def test_auto_is_the_best_this_processor_runs() -> None:
    assert engine("auto").info["isa"] == native_isas()[-1]


def test_unknown_name_lists_the_choices() -> None:
    with pytest.raises(UnsupportedError, match=rf"'neon' is unknown.*auto, {', '.join(NATIVE)}"):
        engine("neon")


@pytest.mark.parametrize("isa", [isa for isa in NATIVE if isa not in native_isas()])
def test_what_the_processor_lacks_is_refused(isa: str) -> None:
    lacks, best = re.escape(_C.isas()[isa]), native_isas()[-1]
    with pytest.raises(UnsupportedError, match=f"'{isa}': this processor lacks {lacks}; its best is '{best}'"):
        engine(isa)


def test_wide_registers_are_tested_on_every_machine() -> None:
    """With AVX2, every other unit runs through the emulation of csrc/testing/isa."""
    if "avx2" in native_isas():
        assert {f"emulated_{isa}" for isa in NATIVE[2:]} <= set(runnable_isas())


@pytest.mark.parametrize("threads", [-1, 100_000])
def test_a_hopeless_number_of_threads_is_refused(threads: int) -> None:
    with pytest.raises(ArgumentError, match=str(threads)):
        engine("auto", threads)
