"""The machine that is checked: what it is, and building for it without a package index."""

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
VENDOR = ROOT / "build/vendor"  # header packages that such a machine lacks; `make gpu-pack` fills it


def output_of(*command: str) -> str:
    """What a command prints, or "" if it is missing or fails."""
    if not shutil.which(command[0]):
        return ""
    run = subprocess.run(command, capture_output=True, text=True)
    return run.stdout.strip() if run.returncode == 0 else ""


def describe() -> dict[str, str]:
    query = ("nvidia-smi", "--query-gpu=name,compute_cap,driver_version,memory.total", "--format=csv,noheader")
    return {
        "gpu": output_of(*query) or "none",
        "nvcc": output_of("nvcc", "--version").splitlines()[-1:][0] if output_of("nvcc", "--version") else "none",
        "python": sys.version.split()[0],
        "commit": output_of("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD") or "unknown",
    }


def architecture() -> str:
    """The first GPU's, as CMake names it ("90a-real")."""
    capability = output_of("nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader").splitlines()[:1]
    if not capability:
        raise SystemExit("gpu-check: nvidia-smi shows no GPU; rehearse with --device cuda-sim")
    sm = capability[0].replace(".", "")
    return f"{sm}a-real" if sm in {"90", "100"} else f"{sm}-real"


def build() -> None:
    """Compiles yanrt/_C in place for this GPU alone. Raises CalledProcessError with the compiler's output shown."""
    environment = {
        **os.environ,
        "YANRT_CUDA": "ON",
        "CMAKE_ARGS": f"-DYANRT_CUDA_ARCHITECTURES={architecture()}",
    }
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


def sanitizer_findings(tool: str, device: str, limit: int) -> str:
    """Runs some of the op cases under compute-sanitizer; "clean", "not here", or the last lines of what it found."""
    if not shutil.which("compute-sanitizer"):
        return "not here"
    checked = [sys.executable, "-m", "tests.cuda.gpu", "--device", device, "--only", "ops", "--limit", str(limit)]
    command = ["compute-sanitizer", "--tool", tool, "--error-exitcode", "9", *checked]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    if run.returncode == 0:
        return "clean"
    lines = [line for line in run.stdout.splitlines() if line.startswith("=========")]
    return " | ".join(lines[-6:]) or run.stderr[-400:]


def load_cublaslt(path: str) -> str:
    """`path` if it can be loaded, else ""."""
    try:
        ctypes.CDLL(path)
    except OSError:
        return ""
    return path


def exported(config: str, path: Path) -> Path:
    """`path`, with the world of a configuration in it: random weights, made by torch if it is not there yet."""
    if not path.exists():
        from exporters.targets.untrained import export_untrained

        path.parent.mkdir(parents=True, exist_ok=True)
        export_untrained(config, path)
    return path


def pack(paper: Path) -> None:
    """Copies the header package of the build into build/vendor, to be carried to a machine without an index, and writes
    the world of 1080p to `paper`, there too, which needs torch."""
    import nlohmann_json

    header = next(p for place in nlohmann_json.__path__ for p in Path(place).rglob("nlohmann/json.hpp"))
    shutil.copytree(header.parent, VENDOR / "nlohmann", dirs_exist_ok=True)
    exported("paper", paper)
    print(f"gpu-pack: {VENDOR} holds nlohmann/json and the world of 1080p; carry it with the checkout")
