"""PyTorch: eager, torch.compile with inductor's freezing, and AOTInductor."""

from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from .artefacts import artefact
from .program_module import ProgramModule
from .runtimes import Job

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class Eager:
    """The module as it is. bf16 converts weights and activations, norms and residuals included: PyTorch's fastest."""

    def __init__(self, job: Job) -> None:
        torch.set_num_threads(job.threads)
        module = job.module
        module.dtype = _DTYPES[job.precision]
        self.job = job
        self.module = module.to(module.dtype).eval()
        self.inputs = module.example(job.arrays)
        self.call = self.prepare()
        self.results: tuple[Tensor, ...] = ()
        self.run()

    def prepare(self) -> Any:
        return self.module

    @torch.inference_mode()
    def run(self) -> None:
        self.results = self.call(*self.inputs)

    def outputs(self) -> dict[str, NDArray[Any]]:
        return as_arrays(self.module, self.results)


def as_arrays(module: ProgramModule, results: tuple[Tensor, ...] | list[Tensor]) -> dict[str, NDArray[Any]]:
    pairs = zip(module.outputs, results, strict=True)
    return {name: (x.float() if x.is_floating_point() else x).numpy() for name, x in pairs}


class Compiled(Eager):
    """torch.compile; freezing folds constants and packs weights for oneDNN."""

    def prepare(self) -> Any:
        torch._inductor.config.freezing = True
        return torch.compile(self.module, dynamic=False)

    @torch.no_grad()  # freezing is off under inference_mode
    def run(self) -> None:
        self.results = self.call(*self.inputs)


class AotInductor(Eager):
    """The exported program compiled ahead of time into a shared library."""

    def prepare(self) -> Any:
        def make(folder: Path) -> None:
            with torch.no_grad():
                exported = torch.export.export(self.module, self.inputs)
                torch._inductor.aoti_compile_and_package(
                    exported, package_path=str(folder / "model.pt2"), inductor_configs={"freezing": True}
                )

        name = f"aot-{self.job.precision}-{self.job.threads}"  # the number of threads is compiled in
        return torch._inductor.aoti_load_package(str(artefact(self.job.folder, name, make) / "model.pt2"))
