"""The PTX of each inline-assembly wrapper of the device header, which the simulator cannot run, word for word: the
instruction, and which operand stands where. Registers are named by where their value comes from or goes to."""

import re
from pathlib import Path

from tests.cuda.toolchain import DEVICE_HEADERS, compile_once

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden/ptx_wrappers.txt"
WORD = re.compile(r"%\w+")


def address(text: str, names: dict[str, str]) -> str:
    """`[%rd4+8]` -> `b[2]`: parameter and number of the four-byte word."""
    match = re.fullmatch(r"\[(%\w+)(?:\+(\d+))?\]", text)
    assert match, text
    return f"{names.get(match[1], match[1])}[{int(match[2] or 0) // 4}]"


def assembly_of(body: list[str], kernel: str) -> list[str]:
    """The inline assembly of one kernel with its registers named."""
    names: dict[str, str] = {}
    assembly: list[str] = []
    inside = False
    for raw in body:
        line = raw.strip().rstrip(";")
        if line.startswith("// begin inline asm"):
            inside = True
        elif line.startswith("// end inline asm"):
            inside = False
        elif inside:
            # A result that is no operand yet gets its name from the store after it: replaced below.
            assembly.append(WORD.sub(lambda m: names.get(m[0], m[0]), line))
        elif match := re.fullmatch(rf"ld\.param\.\w+\s+(%\w+), \[{kernel}_param_(\d+)\]", line):
            names[match[1]] = f"p{match[2]}"
        elif match := re.fullmatch(r"(?:cvta\S*|mov\.\w+|cvt\.u32\.u64)\s+(%\w+), (%?\w+)", line):
            names[match[1]] = names.get(match[2], match[2])
        elif match := re.fullmatch(r"ld\.global\.\w+\s+(%\w+), (\[.*\])", line):
            names[match[1]] = address(match[2], names)
        elif match := re.fullmatch(r"st\.global\.\w+\s+(\[.*\]), (%\w+)", line):
            place = address(match[1], names)
            assert names.get(match[2], place) == place, f"{kernel}: {match[2]} goes to {place}, came from {names}"
            assembly = [
                text.replace(match[2] + ",", place + ",").replace(match[2] + "}", place + "}") for text in assembly
            ]
    return assembly


def kernels_of(ptx: str) -> dict[str, list[str]]:
    bodies = re.findall(r"\.visible \.entry (\w+)\((?:.|\n)*?\)\n\{\n((?:.|\n)*?)\n\}", ptx)
    return {name: body.splitlines() for name, body in bodies}


def probes() -> dict[str, list[str]]:
    made, _ = compile_once(HERE / "ptx_probes.cu", "-arch=compute_89", "-ptx", suffix=".ptx")
    return kernels_of(made.read_text())


def test_assembly_of_every_wrapper_is_as_written_down() -> None:
    found = "\n".join(f"{name}: {text}" for name, body in probes().items() for text in assembly_of(body, name))
    assert found + "\n" == GOLDEN.read_text()


def test_wide_accesses_stay_whole() -> None:
    bodies = probes()
    for name, width in [("wide", "v4"), ("wide_64", "v2")]:
        text = "\n".join(bodies[name])
        assert len(re.findall(rf"ld\.global\.{width}\.\w+", text)) == 1
        assert len(re.findall(rf"st\.global\.{width}\.\w+", text)) == 1


def test_no_assembly_stands_outside_the_header() -> None:
    csrc = DEVICE_HEADERS.parents[2]
    users = [p for p in csrc.rglob("*.cu*") if re.search(r"\basm\b", p.read_text()) and p.name != "ptx.cuh"]
    assert users == []
    wrappers = len(re.findall(r"\basm(?: volatile)?\(", (DEVICE_HEADERS / "ptx.cuh").read_text()))
    assert len(GOLDEN.read_text().splitlines()) == wrappers
