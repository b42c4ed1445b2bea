"""Builds yanrt with CMake and Ninja, both of them build requirements from PyPI; metadata stands in pyproject.toml."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent.resolve()


def cuda_mode(in_tree: bool) -> str:
    """What YANRT_CUDA names, or what this machine can build: the GPU backend in a wheel, the simulator in a checkout.

    ON wants nvcc, SIM only the toolkit's headers; without them the backend is left out and says so at run time.
    """
    if chosen := os.environ.get("YANRT_CUDA"):
        return chosen
    home = Path(os.environ.get("CUDA_HOME", "/usr/local/cuda"))
    if in_tree:
        return "SIM" if (home / "include/cuda_runtime_api.h").exists() else "OFF"
    return "ON" if shutil.which("nvcc") or (home / "bin/nvcc").exists() else "OFF"


class CMakeBuild(build_ext):
    """One extension, `yanrt._C`: configure, build and install it where setuptools expects it.

    In-place (and editable) builds keep their objects in build/native, so that a second build compiles what changed.
    A wheel is configured afresh: pip may have made this environment's CMake, Ninja and headers a moment ago.
    """

    def run(self) -> None:
        self.in_tree = bool(self.inplace)  # setuptools clears `inplace` while it builds
        super().run()

    def build_extension(self, ext: Extension) -> None:
        import ninja

        build = ROOT / "build" / ("native" if self.in_tree else "wheel")
        prefix = ROOT if self.in_tree else Path(self.get_ext_fullpath(ext.name)).resolve().parent.parent
        cmake = [sys.executable, "-m", "cmake"]
        configure = [
            *([] if self.in_tree else ["--fresh"]),
            "-G",
            "Ninja",
            f"-DCMAKE_MAKE_PROGRAM={Path(ninja.BIN_DIR) / 'ninja'}",
            f"-DPython_EXECUTABLE={sys.executable}",
            "-DCMAKE_BUILD_TYPE=Release",
            f"-DYANRT_TESTING={'ON' if self.in_tree else 'OFF'}",
            f"-DYANRT_CUDA={cuda_mode(self.in_tree)}",
            *shlex.split(os.environ.get("CMAKE_ARGS", "")),
        ]
        subprocess.run([*cmake, "-S", str(ROOT), "-B", str(build), *configure], check=True)
        jobs = os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL", str(os.cpu_count() or 1))
        subprocess.run([*cmake, "--build", str(build), "--parallel", jobs], check=True)
        install = ["--install", str(build), "--prefix", str(prefix)]
        subprocess.run([*cmake, *install, *([] if self.in_tree else ["--strip"])], check=True)

    def copy_extensions_to_source(self) -> None:
        """CMake has installed them there, with what the tests need besides."""


setup(ext_modules=[Extension("yanrt._C", sources=[])], cmdclass={"build_ext": CMakeBuild})
