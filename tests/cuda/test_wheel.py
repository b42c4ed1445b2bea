"""The wheel with the CUDA backend: small, and at home on machines that have neither GPU nor driver."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.cuda.toolchain import ROOT, find_nvcc

MAX_BYTES = 30_000_000


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    find_nvcc()
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, ROOT]
    subprocess.run(command, check=True, env={**os.environ, "YANRT_CUDA": "ON"})
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    folder = wheel.parent / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.mark.slow
def test_wheel_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size < MAX_BYTES, f"{wheel.stat().st_size / 1e6:.1f} MB, the packaged world included"


@pytest.mark.slow
def test_module_names_no_library_of_the_driver_or_toolkit(installed: Path) -> None:
    (module,) = (installed / "yanrt").glob("_C*.so")
    dynamic = subprocess.run(["readelf", "-d", module], capture_output=True, text=True, check=True).stdout
    assert [name for name in re.findall(r"NEEDED.*\[(.*)\]", dynamic) if "cu" in name] == []


@pytest.mark.slow
def test_module_loads_without_a_gpu_and_says_what_is_missing(installed: Path) -> None:
    code = (
        "import yanrt\n"
        "try: yanrt.Engine('doom', device='cuda')\n"
        "except yanrt.errors.UnsupportedError as e: print('refused:', e)\n"
        "print(yanrt.Engine('doom', device='cpu').info['device'])"
    )
    environment = {**os.environ, "PYTHONPATH": str(installed), "CUDA_VISIBLE_DEVICES": ""}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=installed, env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.startswith("refused:"), run.stdout
    assert re.search(r"driver|GPU", run.stdout.splitlines()[0])
    assert run.stdout.splitlines()[1] == "cpu"
