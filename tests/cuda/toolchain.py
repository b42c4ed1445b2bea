"""nvcc, the disassembler, and what is compiled with them. Results are kept in build/cuda, by what went in."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEVICE_HEADERS = ROOT / "csrc/backends/cuda/device"
KERNELS = ROOT / "csrc/backends/cuda/kernels"
BUILD = ROOT / "build/cuda"
ARCHITECTURES = ("80", "89", "90a", "100a", "120")  # as CMakeLists.txt compiles for
WARNINGS = ("-Werror", "all-warnings", "-Xcompiler", "-Wall,-Wextra,-Wno-restrict")


def find_nvcc() -> str:
    """Path of nvcc; skips the test where there is no toolkit."""
    home = Path(os.environ.get("CUDA_HOME", "/usr/local/cuda"))
    nvcc = shutil.which("nvcc") or (str(home / "bin/nvcc") if (home / "bin/nvcc").exists() else None)
    if not nvcc:
        pytest.skip("needs nvcc (CUDA toolkit 13)")
    return nvcc


def find_nvdisasm() -> str:
    """Path of nvdisasm, from the toolkit or from the wheel nvidia-cuda-nvdisasm; skips the test without it."""
    places = [Path(entry) / "nvidia/cu13/bin/nvdisasm" for entry in sys.path]
    nvdisasm = shutil.which("nvdisasm") or next((str(p) for p in places if p.exists()), None)
    if not nvdisasm:
        pytest.skip("needs nvdisasm (pip install nvidia-cuda-nvdisasm)")
    return nvdisasm


def digest(*parts: str) -> str:
    """Of the arguments and of every file that a kernel may include."""
    state = hashlib.sha256("\0".join(parts).encode())
    for path in sorted(p for p in (ROOT / "csrc").rglob("*") if p.suffix in {".h", ".cuh"}):
        state.update(path.read_bytes())
    return state.hexdigest()[:16]


def compile_once(source: Path, *flags: str, suffix: str) -> tuple[Path, str]:
    """Compiles one source and returns the file made and what the compiler said; a second call reads both back."""
    key = digest(source.read_text(), str(source), *flags)
    made = BUILD / f"{source.stem}-{key}{suffix}"
    log = made.with_suffix(".log")
    if not (made.exists() and log.exists()):
        BUILD.mkdir(parents=True, exist_ok=True)
        command = [find_nvcc(), "-std=c++20", "-O3", f"-I{ROOT / 'csrc'}", *flags, str(source), "-o", str(made)]
        run = subprocess.run(command, capture_output=True, text=True)
        assert run.returncode == 0, f"{' '.join(command)}\n{run.stderr}"
        log.write_text(run.stderr)
    return made, log.read_text()


@dataclass(frozen=True)
class Usage:
    """What ptxas says of one kernel."""

    registers: int
    spilled_bytes: int  # stores and loads
    stack_bytes: int


def usage_of(log: str) -> dict[str, Usage]:
    """Kernel (mangled) -> registers and spills, from the output of -Xptxas -v."""
    found: dict[str, Usage] = {}
    name, stack, spilled = "", 0, 0
    for line in log.splitlines():
        if match := re.search(r"Compiling entry function '(\w+)'", line):
            name = match[1]
        elif match := re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", line):
            stack, spilled = int(match[1]), int(match[2]) + int(match[3])
        elif (match := re.search(r"Used (\d+) registers", line)) and name:
            found[name] = Usage(int(match[1]), spilled, stack)
            name = ""
    return found


def cubin_of(source: Path, architecture: str) -> tuple[Path, dict[str, Usage]]:
    """Machine code of a kernel source for one architecture, warnings as errors."""
    arch = f"-gencode=arch=compute_{architecture},code=sm_{architecture}"
    cubin, log = compile_once(source, arch, *WARNINGS, "-Xptxas", "-v", "-cubin", suffix=".cubin")
    return cubin, usage_of(log)


def opcodes_of(cubin: Path) -> dict[str, set[str]]:
    """Kernel (mangled) -> the opcodes of its machine code, with their modifiers ("QMMA.16832.F32.E4M3.E4M3")."""
    listing = subprocess.run([find_nvdisasm(), "-c", str(cubin)], capture_output=True, text=True, check=True).stdout
    opcodes: dict[str, set[str]] = {}
    kernel = ""
    for line in listing.splitlines():
        if match := re.match(r"\s*\.text\.(\w+):", line):
            kernel = match[1]
        elif match := re.match(r"\s*/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9_.]*)", line):
            opcodes.setdefault(kernel, set()).add(match[1])
    return opcodes
