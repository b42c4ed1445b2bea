"""Rules of the tree: known top-level names, files of readable size, nothing heavy."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]

TOP_LEVEL = {
    ".ci", ".clang-format", ".gitignore", "CMakeLists.txt", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md",
    "benchmarks", "csrc", "docs", "examples", "exporters", "pyproject.toml", "python_train", "setup.py", "tests",
    "yanrt",
}  # fmt: skip
MAX_LINES = 400  # of a source file; the median is to stay far below
MAX_BYTES = 512 * 1024  # of any file but a packaged world
MAX_MODEL_BYTES = 32 * 2**20


def tracked() -> list[Path]:
    """Files under version control."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).exists()]


def test_top_level_names_are_known() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} <= TOP_LEVEL


def test_readme_names_every_top_level_entry() -> None:
    readme = (ROOT / "README.md").read_text()
    folders = {path.relative_to(ROOT).parts[0] for path in tracked() if len(path.relative_to(ROOT).parts) > 1}
    assert [name for name in sorted(folders) if f"{name}/" not in readme] == []


def test_source_files_are_short() -> None:
    code = {".py", ".pyi", ".h", ".cpp", ".def", ".cu", ".cuh"}
    lengths = {path: path.read_text().count("\n") for path in tracked() if path.suffix in code}
    assert {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n > MAX_LINES} == {}


def test_no_file_is_heavy() -> None:
    weights = {ROOT / "yanrt/models", ROOT / "python_train/resume"}
    heavy = {
        str(path.relative_to(ROOT)): path.stat().st_size
        for path in tracked()
        if path.stat().st_size > (MAX_MODEL_BYTES if path.parent in weights else MAX_BYTES)
    }
    assert heavy == {}
