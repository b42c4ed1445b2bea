"""ONNX Runtime: fp32, and int8 by dynamic quantisation of its matrix products (weights a scale a channel)."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process

from .runtimes import Job


class OnnxRuntime:
    def __init__(self, job: Job) -> None:
        self.folder = tempfile.TemporaryDirectory()
        path = export_onnx(job, Path(self.folder.name))
        if job.precision == "int8":
            path = _quantize(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = job.threads, 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
        self.feeds = {f"in{i}": np.ascontiguousarray(job.arrays[name]) for i, name in enumerate(job.module.inputs)}
        self.names = job.module.outputs
        self.results: list[NDArray[Any]] = []
        self.run()

    def run(self) -> None:
        self.results = self.session.run(None, self.feeds)

    def outputs(self) -> dict[str, NDArray[Any]]:
        return dict(zip(self.names, self.results, strict=True))


def export_onnx(job: Job, folder: Path) -> Path:
    """The module as an ONNX file; inputs are named in0, in1, ..."""
    path = folder / "model.onnx"
    with torch.no_grad():
        program = torch.onnx.export(
            job.module.eval(),
            job.module.example(job.arrays),
            dynamo=True,
            input_names=[f"in{i}" for i in range(len(job.module.inputs))],
            output_names=[f"out{i}" for i in range(len(job.module.outputs))],
            verbose=False,
        )
    assert program is not None
    program.save(str(path))
    return path


def _quantize(path: Path) -> Path:
    prepared, quantized = path.with_name("prepared.onnx"), path.with_name("int8.onnx")
    quant_pre_process(str(path), str(prepared), skip_symbolic_shape=True)
    quantize_dynamic(
        str(prepared),
        str(quantized),
        weight_type=QuantType.QInt8,
        per_channel=True,
        op_types_to_quantize=["MatMul", "Gemm"],
    )
    return quantized
