"""Who may know whom: C++ layers by their includes, Python packages by their imports."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CSRC = ROOT / "csrc"

# Each layer may include itself and those before it.
LAYERS = ["core", "program", "runtime", "backends", "bindings"]
SIMULATOR = "testing/cuda_sim/device/device.h"  # in place of nvcc's half of the device header, in test builds
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in {".h", ".cpp", ".def", ".cu", ".cuh"})


def includes(path: Path) -> list[tuple[str, bool]]:
    """(name, whether it was quoted) of every include of a file."""
    return [(quoted or angled, bool(quoted)) for quoted, angled in INCLUDE.findall(path.read_text())]


def imports(path: Path) -> set[str]:
    """Full names of all modules that a Python file imports, at its top or inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def importers(files: list[Path], *modules: str) -> list[str]:
    """`file imports module` for every file that imports one of `modules` or something inside it."""
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in sorted(imports(path))
        if any(name == module or name.startswith(module + ".") for module in modules)
    ]


@pytest.mark.parametrize("layer", LAYERS)
def test_cpp_layer_includes_only_layers_below(layer: str) -> None:
    files = sources(CSRC / layer)
    assert files, f"csrc/{layer} holds no sources"
    allowed = LAYERS[: LAYERS.index(layer) + 1]
    wrong = [
        f"{path.relative_to(ROOT)} includes {name}"
        for path in files
        for name, quoted in includes(path)
        if quoted and name.split("/")[0] not in allowed and not name.startswith(("nlohmann/", SIMULATOR))
    ]
    assert not wrong


def test_device_header_includes_nothing_outside_itself() -> None:
    files = sources(CSRC / "backends/cuda/device")
    assert len(files) > 3
    quoted = {(path.name, name) for path in files for name, in_quotes in includes(path) if in_quotes}
    outside = {(file, name) for file, name in quoted if not name.startswith("backends/cuda/device/")}
    assert outside == {("device.cuh", SIMULATOR)}


def test_kernels_know_cuda_by_the_device_header_alone() -> None:
    """What a .cu file includes of the toolkit by itself, the simulator may not have."""
    files = [path for path in sources(CSRC / "backends/cuda/kernels") if path.suffix in {".cu", ".cuh"}]
    assert len(files) > 10
    allowed = {"cuda_runtime_api.h", "cuda_bf16.h", "cuda_fp16.h", "cuda_fp8.h"}
    wrong = [
        f"{path.relative_to(ROOT)} includes <{name}>"
        for path in files
        for name, quoted in includes(path)
        if not quoted and name.startswith(("cuda", "mma", "cooperative", "cub/")) and name not in allowed
    ]
    assert not wrong


def test_only_the_reader_knows_json() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} includes {name}"
        for path in sources(CSRC)
        for name, _ in includes(path)
        if name.startswith("nlohmann/") and path.parent != CSRC / "program"
    ]
    assert not wrong


def test_only_bindings_know_python_and_nobody_knows_torch() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} includes {name}"
        for path in sources(CSRC)
        for name, _ in includes(path)
        if name.startswith(("torch", "ATen", "c10"))
        or (name.startswith(("pybind11", "Python.h")) and path.parent not in (CSRC / "bindings", CSRC / "testing"))
    ]
    assert not wrong


def test_loop_headers_include_nothing_that_the_linker_could_share() -> None:
    """A standard template compiled with AVX-512 flags must not be the copy that other units get."""
    allowed = {"cstdint", "cstddef", "immintrin.h"}
    loops = [*sorted((CSRC / "backends/cpu").rglob("*_loops.h")), CSRC / "backends/cpu/isa/simd.h"]
    assert len(loops) > 1
    wrong = [
        f"{path.relative_to(ROOT)} includes <{name}>"
        for path in loops
        for name, quoted in includes(path)
        if not quoted and name not in allowed
    ]
    assert not wrong


def test_yanrt_imports_no_torch_and_no_exporter() -> None:
    files = python_files("yanrt")
    assert len(files) > 5
    assert not importers(files, "torch", "safetensors", "exporters", "python_train")


def test_ir_is_free_of_torch() -> None:
    assert not importers(python_files("exporters/ir"), "torch", "python_train")


def test_training_knows_neither_exporters_nor_runtime() -> None:
    assert not importers(python_files("python_train"), "exporters", "yanrt")


def test_nothing_imports_tests() -> None:
    assert not importers(python_files("yanrt", "exporters", "python_train", "examples", "benchmarks"), "tests")
