"""OpenVINO: fp32, bf16 where the processor has it, and int8 by NNCF's post-training quantisation."""

from pathlib import Path
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray

from .artefacts import artefact
from .onnx_runtime import onnx_file
from .runtimes import Job, Unsupported

_CALIBRATION = 8


class OpenVino:
    def __init__(self, job: Job) -> None:
        core = openvino.Core()
        has_bf16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if job.precision == "bf16" and not has_bf16:
            raise Unsupported("this processor has no bf16 for OpenVINO: its plugin would compute in f32")
        path = onnx_file(job)
        self.feeds = {f"in{i}": np.ascontiguousarray(job.arrays[name]) for i, name in enumerate(job.module.inputs)}
        if job.precision == "int8":
            folder = artefact(job.folder, "openvino-int8", lambda to: _quantize(core, path, self.feeds, to))
            path = folder / "model.xml"
        # What int8 leaves alone runs in bf16, as it does in yanrt.
        hint = "f32" if job.precision == "fp32" or not has_bf16 else "bf16"
        config = {
            "INFERENCE_NUM_THREADS": job.threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": hint,
        }
        self.request = core.compile_model(str(path), "CPU", config).create_infer_request()
        self.names = job.module.outputs
        self.run()

    def run(self) -> None:
        self.results = self.request.infer(self.feeds, share_inputs=True, share_outputs=True)

    def outputs(self) -> dict[str, NDArray[Any]]:
        return {name: np.array(self.results[i]) for i, name in enumerate(self.names)}


def _quantize(core: openvino.Core, path: Path, feeds: dict[str, NDArray[Any]], folder: Path) -> None:
    """Activations are calibrated on inputs like those that are timed, floats disturbed by a tenth."""
    import nncf  # seconds of imports, for this row alone

    rng = np.random.default_rng(1)

    def disturbed() -> dict[str, NDArray[Any]]:
        return {
            name: x if x.dtype == np.uint8 else x + 0.1 * rng.standard_normal(x.shape).astype(np.float32)
            for name, x in feeds.items()
        }

    dataset = nncf.Dataset([feeds, *(disturbed() for _ in range(_CALIBRATION - 1))])
    quantized = nncf.quantize(
        core.read_model(str(path)),
        dataset,
        subset_size=_CALIBRATION,
        model_type=nncf.ModelType.TRANSFORMER,
        target_device=nncf.TargetDevice.CPU,
    )
    openvino.save_model(quantized, str(folder / "model.xml"), compress_to_fp16=False)
