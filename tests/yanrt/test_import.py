"""What importing and installing yanrt costs."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import yanrt
from yanrt import errors

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "av", "pygame", "gymnasium", "safetensors")


def python(code: str) -> str:
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return run.stdout.strip()


def test_import_takes_30_ms_beyond_numpy() -> None:
    """Processor time, the median of several fresh processes: other programs on the machine do not decide."""
    code = "import time, numpy; began = time.process_time(); import yanrt;print((time.process_time() - began) * 1e3)"
    times = sorted(float(python(code)) for _ in range(5))
    assert times[2] <= 30, f"import yanrt took {times} ms beyond numpy"


def test_using_yanrt_imports_nothing_heavy(tiny: Path) -> None:
    code = (
        "import sys, yanrt, yanrt.cli, yanrt.bench, yanrt.play.loop\n"
        f"with yanrt.Session({str(tiny)!r}) as session:\n"
        "    session.reset()\n"
        "    session.step({'BRIGHTER'})\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    assert python(code) == "[]"


def test_every_public_name_resolves() -> None:
    for name in yanrt.__all__:
        assert getattr(yanrt, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'Sesion'"):
        yanrt.Sesion


def test_every_error_is_a_yanrt_error() -> None:
    kinds = [value for value in vars(errors).values() if isinstance(value, type)]
    assert len(kinds) == 7
    assert all(issubclass(kind, errors.Error) for kind in kinds)


@pytest.mark.slow
def test_wheel_holds_yanrt_alone_and_is_small(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", tmp_path, ROOT],
        check=True,
        env={**os.environ, "YANRT_CUDA": "OFF"},  # compiling it for every GPU takes minutes
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        entries = [entry for entry in archive.infolist() if ".dist-info/" not in entry.filename]
        metadata = next(name for name in archive.namelist() if name.endswith("METADATA"))
        needs = [line for line in archive.read(metadata).decode().splitlines() if line.startswith("Requires-Dist:")]
    assert {entry.filename.split("/")[0] for entry in entries} == {"yanrt"}
    assert any(entry.filename.startswith("yanrt/_C") for entry in entries)
    assert [line for line in needs if "extra ==" not in line] == ["Requires-Dist: numpy>=1.26"]
    bytes_without_model = sum(e.compress_size for e in entries if not e.filename.endswith(".safetensors"))
    assert bytes_without_model < 5 * 2**20
