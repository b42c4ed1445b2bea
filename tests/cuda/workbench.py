"""A copy of the checkout with modules of its own, built with the simulator, for mutation and coverage runs.

It lies in build/<name>; a file is copied when it differs, so that only what changed is compiled again.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIED = ("csrc", "yanrt", "tests", "exporters", "python_train", "benchmarks", "CMakeLists.txt", "pyproject.toml")


class Workbench:
    """`build/<name>` with the copy in `tree`. `changes`: C++ is compiled from the copy, not from the checkout. Either
    way by paths that, from the build folder, are those of `make build`: a compiler cache knows what is unchanged."""

    def __init__(self, name: str, *options: str, changes: bool = False) -> None:
        folder = ROOT / "build" / name
        self.tree = folder / "tree"
        self.build_folder = self.tree / "build/native" if changes else folder
        self.source = self.tree if changes else ROOT
        self.options = options

    def refresh(self) -> None:
        """Brings the copy up to date."""
        self.tree.mkdir(parents=True, exist_ok=True)
        for name in COPIED:
            self._copy(ROOT / name, self.tree / name)

    def _copy(self, source: Path, target: Path) -> None:
        if source.is_dir():
            target.mkdir(exist_ok=True)
            names = {p.name for p in source.iterdir() if p.suffix != ".so" and p.name != "__pycache__"}
            for stale in (p for p in target.iterdir() if p.name not in names and p.suffix != ".so"):
                if stale.is_dir():
                    shutil.rmtree(stale)
                else:
                    stale.unlink()
            for name in sorted(names):
                self._copy(source / name, target / name)
        elif not target.exists() or target.read_bytes() != source.read_bytes():
            shutil.copyfile(source, target)

    def build(self, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
        """Configures (the first time), compiles and installs into the tree."""
        cmake = [sys.executable, "-m", "cmake"]
        if not (self.build_folder / "build.ninja").exists():
            configure = [
                *(*cmake, "-S", str(self.source), "-B", str(self.build_folder), "-G", "Ninja"),
                *("-DCMAKE_BUILD_TYPE=Release", "-DYANRT_TESTING=ON", "-DYANRT_CUDA=SIM"),
                f"-DPython_EXECUTABLE={sys.executable}",
                *self.options,
            ]
            subprocess.run(configure, check=True, capture_output=True, text=True)
        jobs = os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL", str(os.cpu_count() or 1))
        steps = [
            [*cmake, "--build", str(self.build_folder), "--parallel", jobs],
            [*cmake, "--install", str(self.build_folder), "--prefix", str(self.tree)],
        ]
        for step in steps:
            run = subprocess.run(step, capture_output=True, text=True, timeout=timeout)
            if run.returncode:
                break
        return run

    def pytest(self, *arguments: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
        """Runs tests of the tree against the modules built there."""
        environment = {**os.environ, "PYTHONPATH": str(self.tree)}
        command = [sys.executable, "-m", "pytest", "-q", "-x", f"--rootdir={self.tree}", *arguments]
        return subprocess.run(command, cwd=self.tree, env=environment, capture_output=True, text=True, timeout=timeout)
