"""The choice of the instruction set: what exists, what this processor runs, and what is refused."""

from typing import Any

import pytest

from tests.support.package_builder import ProgramBuilder, bare_manifest, pack
from tests.support.run_op import runnable_isas
from yanrt import _C
from yanrt.errors import ArgumentError, UnsupportedError

ALL = ("generic", "avx2", "avx512", "avx512_bf16")


def engine(isa: str, threads: int = 1) -> Any:
    p = ProgramBuilder()
    p.output("y", p.op("copy", [p.input("x", "f32", [1])], "f32", [1]))
    package = _C.Package.from_bytes(pack(bare_manifest({"run": p.build()})), "isa")
    return _C.Engine(package, "cpu", "fp32", threads, isa)


def test_auto_is_the_best_this_processor_runs() -> None:
    assert engine("auto").info["isa"] == runnable_isas()[-1]


def test_unknown_name_lists_the_choices() -> None:
    with pytest.raises(UnsupportedError, match=r"'neon' is unknown.*auto, generic, avx2, avx512, avx512_bf16"):
        engine("neon")


@pytest.mark.parametrize("isa", [isa for isa in ALL if isa not in runnable_isas()])
def test_what_the_processor_lacks_is_refused(isa: str) -> None:
    best = runnable_isas()[-1]
    with pytest.raises(UnsupportedError, match=f"'{isa}': this processor cannot run it; its best is '{best}'"):
        engine(isa)


@pytest.mark.parametrize("threads", [-1, 100_000])
def test_a_hopeless_number_of_threads_is_refused(threads: int) -> None:
    with pytest.raises(ArgumentError, match=str(threads)):
        engine("auto", threads)
