"""What nvcc makes of every kernel, for every architecture that the wheel carries: no warning, no register spilled
beyond the budget, and the tensor-core instructions that were meant."""

from pathlib import Path

import pytest

from tests.cuda.toolchain import ARCHITECTURES, KERNELS, cubin_of, opcodes_of

SOURCES = sorted(KERNELS.rglob("*.cu"))

# Bytes of spill stores and loads that a source may have in all its kernels together; what is not named: none.
SPILL_BUDGET: dict[tuple[str, str], int] = {
    # Heads of 128 have 255 registers to work with; heads of 64, at three blocks a multiprocessor, 168.
    ("attention", "80"): 192,
    ("attention", "89"): 116,
    ("attention", "90a"): 84,
    # A warp a query, in fp32: ptxas trades a few registers for occupancy.
    ("attention", "100a"): 36,
    ("attention", "120"): 32,
    ("ring_attention", "80"): 144,
    ("ring_attention", "90a"): 36,
    ("ring_attention", "100a"): 28,
    ("ring_attention", "120"): 20,
    # Kernels that these chips do not choose: the tile of 128 that converts in software, the native path of sm_90.
    ("gemm_e4m3", "80"): 3644,
    ("gemm_e4m3", "90a"): 28,
}

# Opcode that must appear (and, after "!", must not) in some kernel of a source. FP8 is native where mma.sync reaches
# the FP8 units; elsewhere the widened path runs, in f16.
TENSOR_OPCODES = {
    "gemm_e4m3": {
        "80": ["HMMA.16816.F32", "!QMMA"],
        "89": ["QMMA.16832.F32.E4M3.E4M3"],
        "90a": ["HMMA.16816.F32", "!QMMA"],
        "100a": ["HMMA.16816.F32", "!QMMA"],
        "120": ["QMMA.16832.F32.E4M3.E4M3"],
    },
    "gemm_bf16": {arch: ["HMMA.16816.F32.BF16", "LDSM", "LDGSTS"] for arch in ARCHITECTURES},
    "conv_bf16": {arch: ["HMMA.16816.F32.BF16", "LDSM", "LDGSTS"] for arch in ARCHITECTURES},
}

# What CI compiles on every change: every tensor-core path; the whole product takes minutes of processor time.
QUICK = [("gemm_e4m3", "89"), ("gemm_e4m3", "120"), ("gemm_bf16", "80"), ("strided", "120")]
EVERY = [(source.stem, arch) for source in SOURCES for arch in ARCHITECTURES]
PAIRS = [
    pytest.param(stem, arch, id=f"{stem}-sm_{arch}", marks=() if (stem, arch) in QUICK else pytest.mark.slow)
    for stem, arch in EVERY
]


def source_of(stem: str) -> Path:
    return next(path for path in SOURCES if path.stem == stem)


def missing_opcodes(wanted: list[str], have: set[str]) -> list[str]:
    """The wishes that are not met."""
    return [w for w in wanted if any(o.startswith(w.removeprefix("!")) for o in have) == w.startswith("!")]


@pytest.mark.parametrize(("stem", "arch"), PAIRS)
def test_kernel_compiles_as_meant(stem: str, arch: str) -> None:
    cubin, usage = cubin_of(source_of(stem), arch)
    assert usage, "ptxas reported no kernel"
    spilled = sum(kernel.spilled_bytes for kernel in usage.values())
    budget = SPILL_BUDGET.get((stem, arch), 0)
    assert spilled <= budget, {name: u for name, u in usage.items() if u.spilled_bytes}
    if wanted := TENSOR_OPCODES.get(stem, {}).get(arch):
        have = set().union(*opcodes_of(cubin).values())
        assert missing_opcodes(wanted, have) == [], sorted(o for o in have if "MMA" in o)


def test_every_expected_source_exists() -> None:
    assert set(TENSOR_OPCODES) <= {source.stem for source in SOURCES}
    assert {stem for stem, _ in QUICK} <= {source.stem for source in SOURCES}
