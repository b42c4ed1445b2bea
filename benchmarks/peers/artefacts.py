"""What peers make of a model once and may use again: ONNX files, quantised models, compiled packages.

They lie beside the model's package, in a folder named by everything they depend on: the weights, the sources that make
them and the versions of the peers. So the first run of a model takes minutes longer than the next.
"""

import hashlib
import importlib.metadata
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from yanrt.package import Package

from .runtimes import RUNTIMES

_COMMON = ("program_module", "ops", "pointwise", "inputs")
_PEERS = ("torch", "onnx", "onnxscript", "onnxruntime", "openvino", "nncf")


def artefacts_folder(package: Package, program: str, parent: Path) -> Path:
    """Where the artefacts of a program lie; made if it is not there."""
    digest = hashlib.sha256(json.dumps([package.manifest, program], sort_keys=True).encode())
    peers = dict.fromkeys(place.split(":")[0] for name, (place, _) in RUNTIMES.items() if name != "yanrt")
    for source in (*_COMMON, *peers):
        digest.update((Path(__file__).parent / f"{source}.py").read_bytes())
    for peer in _PEERS:
        digest.update(_version(peer).encode())
    folder = parent / f"{package.name}-{digest.hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _version(peer: str) -> str:
    try:
        return importlib.metadata.version(peer)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def artefact(folder: Path, name: str, make: Callable[[Path], None]) -> Path:
    """The folder `name` in `folder`; if it is not there, `make(path)` fills it first. One broken off leaves nothing."""
    path = folder / name
    if not path.exists():
        unfinished = folder / f"{name}.{os.getpid()}"
        unfinished.mkdir()
        try:
            make(unfinished)
            unfinished.rename(path)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return path
