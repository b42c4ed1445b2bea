"""OpenVINO: fp32, bf16 where the processor has it, and int8 by NNCF's post-training quantisation."""

import tempfile
from pathlib import Path
from typing import Any

import nncf
import numpy as np
import openvino
from numpy.typing import NDArray

from .onnx_runtime import export_onnx
from .runtimes import Job, Unsupported

_HINTS = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}
_CALIBRATION = 8


class OpenVino:
    def __init__(self, job: Job) -> None:
        core = openvino.Core()
        if job.precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise Unsupported("this processor has no bf16 for OpenVINO: its plugin would compute in f32")
        self.folder = tempfile.TemporaryDirectory()
        model = core.read_model(str(export_onnx(job, Path(self.folder.name))))
        self.feeds = {f"in{i}": np.ascontiguousarray(job.arrays[name]) for i, name in enumerate(job.module.inputs)}
        if job.precision == "int8":
            model = _quantize(model, self.feeds)
        config = {
            "INFERENCE_NUM_THREADS": job.threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": _HINTS[job.precision],
        }
        self.request = core.compile_model(model, "CPU", config).create_infer_request()
        self.names = job.module.outputs
        self.run()

    def run(self) -> None:
        self.results = self.request.infer(self.feeds, share_inputs=True, share_outputs=True)

    def outputs(self) -> dict[str, NDArray[Any]]:
        return {name: np.array(self.results[i]) for i, name in enumerate(self.names)}


def _quantize(model: openvino.Model, feeds: dict[str, NDArray[Any]]) -> openvino.Model:
    """Activations are calibrated on inputs like those that are timed, floats disturbed by a tenth."""
    rng = np.random.default_rng(1)

    def disturbed() -> dict[str, NDArray[Any]]:
        return {
            name: x if x.dtype == np.uint8 else x + 0.1 * rng.standard_normal(x.shape).astype(np.float32)
            for name, x in feeds.items()
        }

    dataset = nncf.Dataset([feeds, *(disturbed() for _ in range(_CALIBRATION - 1))])
    return nncf.quantize(
        model,
        dataset,
        subset_size=_CALIBRATION,
        model_type=nncf.ModelType.TRANSFORMER,
        target_device=nncf.TargetDevice.CPU,
    )
