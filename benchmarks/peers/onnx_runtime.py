"""ONNX Runtime: fp32, and int8 by dynamic quantisation of its matrix products (weights a scale a channel)."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process

from .artefacts import artefact
from .runtimes import Job, Unsupported

_PRODUCTS = ("MatMul", "Gemm")


class OnnxRuntime:
    def __init__(self, job: Job) -> None:
        path = onnx_file(job)
        if job.precision == "int8":
            path = artefact(job.folder, "ort-int8", lambda folder: _quantize(path, folder)) / "model.onnx"
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


def onnx_file(job: Job) -> Path:
    """The module as an ONNX file; inputs are named in0, in1, ..."""

    def make(folder: Path) -> None:
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
        program.save(str(folder / "model.onnx"), external_data=True)

    return artefact(job.folder, "onnx", make) / "model.onnx"


def _quantize(path: Path, folder: Path) -> None:
    if not any(node.op_type in _PRODUCTS for node in onnx.load(str(path), load_external_data=False).graph.node):
        raise Unsupported("dynamic quantisation has nothing to quantise: the model has convolutions and no products")
    prepared = folder / "prepared.onnx"
    quant_pre_process(str(path), str(prepared), skip_symbolic_shape=True, save_as_external_data=True)
    quantize_dynamic(
        str(prepared),
        str(folder / "model.onnx"),
        weight_type=QuantType.QInt8,
        per_channel=True,
        op_types_to_quantize=list(_PRODUCTS),
    )
    for file in folder.glob("prepared*"):
        file.unlink()
