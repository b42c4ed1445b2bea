"""Which runtime offers which precision, and what a runtime must offer."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from .inputs import Arrays
from .program_module import ProgramModule


class Unsupported(RuntimeError):
    """The peer cannot run this model in this precision on this machine; the message says why."""


@dataclass(frozen=True)
class Job:
    """What a runtime gets: the model as a module, the inputs by name, and how to run."""

    module: ProgramModule
    program: str
    arrays: Arrays
    precision: str
    threads: int
    folder: Path  # for artefacts


class Runtime(Protocol):
    """Made ready by its constructor, which takes a Job and does whatever happens once."""

    def run(self) -> None:
        """One call. Its outputs stay where the runtime puts them."""

    def outputs(self) -> dict[str, NDArray[Any]]:
        """Outputs of the first call, by the names of `ProgramModule.outputs` (some may be missing)."""


# In the order in which a round runs them.
RUNTIMES: dict[str, tuple[str, tuple[str, ...]]] = {  # runtime -> (module:class, precisions)
    "yanrt": ("yanrt_runtime:YanrtRuntime", ("fp32", "bf16", "int8", "fp8")),
    "torch-eager": ("torch_runtimes:Eager", ("fp32", "bf16")),
    "torch-compile": ("torch_runtimes:Compiled", ("fp32", "bf16")),
    "aot-inductor": ("torch_runtimes:AotInductor", ("fp32", "bf16")),
    "onnxruntime": ("onnx_runtime:OnnxRuntime", ("fp32", "int8")),
    "openvino": ("openvino_runtime:OpenVino", ("fp32", "bf16", "int8")),
}


def make(runtime: str, job: Job) -> Runtime:
    """Imports the runtime and makes it ready for `job`."""
    module, name = RUNTIMES[runtime][0].split(":")
    made: Runtime = getattr(importlib.import_module(f".{module}", __package__), name)(job)
    return made
