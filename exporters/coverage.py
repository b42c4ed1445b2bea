"""Networks of other people's libraries, exported and compared with eager PyTorch: `python -m exporters coverage`."""

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils import _pytree as pytree

import yanrt

from .api import export
from .targets.networks import Network

LIMITS = {"fp32": 1e-4, "bf16": 3e-2}  # relative RMS of an output
Array = NDArray[Any]


@dataclass
class Coverage:
    """One line of the table. `ops` counts what torch.export leaves, `kernels` what the runtime runs, copies included;
    times are the best of several, in milliseconds."""

    name: str
    ops: int = 0
    kernels: int = 0
    errors: dict[str, float] = field(default_factory=dict)
    eager_ms: float = 0.0
    runtime_ms: dict[str, float] = field(default_factory=dict)
    export_s: float = 0.0
    failure: str = ""

    @property
    def ok(self) -> bool:
        return not self.failure and all(self.errors[name] < limit for name, limit in LIMITS.items())

    def row(self) -> str:
        if self.failure:
            return f"{self.name:24} {self.failure}"
        times = f"{self.eager_ms:8.2f} {self.runtime_ms['fp32']:8.2f} {self.runtime_ms['bf16']:8.2f}"
        errors = f"{self.errors['fp32']:9.1e} {self.errors['bf16']:9.1e}"
        verdict = "" if self.ok else "FAILS"
        return f"{self.name:24} {self.ops:5} {self.kernels:6} {errors} {times} {self.export_s:7.1f} {verdict}"


HEADER = (
    f"{'network':24} {'ops':>5} {'fused':>6} {'fp32':>9} {'bf16':>9} {'eager ms':>8} {'fp32 ms':>8} {'bf16 ms':>8} "
    f"{'export s':>7}"
)


def cover(networks: Iterable[Network], threads: int = 1, repeats: int = 5) -> Iterator[Coverage]:
    """Exports each network, runs it in every precision, and compares. What fails is a line, too."""
    for network in networks:
        with tempfile.TemporaryDirectory() as folder:
            result = Coverage(network.name)
            try:
                _measure(network, result, Path(folder) / "network.safetensors", threads, repeats)
            except Exception as error:  # any failure of any library is one line of the table
                result.failure = f"{type(error).__name__}: {error}"
            yield result


def _measure(network: Network, result: Coverage, path: Path, threads: int, repeats: int) -> None:
    module, kwargs = network.build(), network.kwargs()
    outputs, result.eager_ms = _timed(lambda: _eager(module, kwargs), repeats, threads)
    begin = time.perf_counter()
    exported = export(module, (), path, kwargs=kwargs, weights="f32")
    result.export_s = time.perf_counter() - begin
    result.ops = exported.programs["forward"].traced_ops
    inputs = named_arrays(kwargs)
    for precision in LIMITS:
        engine = yanrt.Engine(path, precision=precision, threads=threads)
        result.kernels = len(engine.native.ops("forward"))
        program = engine.runner().program("forward")
        actual, result.runtime_ms[precision] = _timed(
            lambda program=program: program(**inputs),  # type: ignore[misc]
            repeats,
            threads,
        )
        result.errors[precision] = worst_error(actual, outputs)


def _eager(module: nn.Module, kwargs: dict[str, Any]) -> list[Array]:
    with torch.no_grad():
        leaves = pytree.tree_leaves(module(**kwargs))
    return [leaf.numpy() for leaf in leaves if isinstance(leaf, Tensor)]


def _timed(call: Callable[[], Any], repeats: int, threads: int) -> tuple[Any, float]:
    """The result, and the best time in milliseconds: of the processor for one thread, which other work on the machine
    hardly disturbs, else of the clock."""
    clock = time.thread_time if threads == 1 else time.perf_counter
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    times = []
    for _ in range(repeats + 1):  # the first one warms up
        begin = clock()
        result = call()
        times.append(1e3 * (clock() - begin))
    torch.set_num_threads(before)
    return result, min(times[1:])


def named_arrays(kwargs: dict[str, Any]) -> dict[str, Array]:
    """Tensors of nested arguments by the names that their inputs have in the program: keys, joined by `_`."""
    arrays = {}
    for path, leaf in pytree.tree_leaves_with_path(kwargs):
        if isinstance(leaf, Tensor):
            keys = [str(getattr(key, "key", getattr(key, "idx", getattr(key, "name", "")))) for key in path]
            arrays["_".join(keys)] = leaf.numpy()
    return arrays


def worst_error(actual: Iterable[Array], expected: Iterable[Array]) -> float:
    """The largest relative RMS error of the outputs. Integers must be equal, and count as infinitely wrong if not."""
    errors = [relative_rms(a, b) for a, b in zip(actual, expected, strict=True)]
    return max(errors)


def relative_rms(actual: Array, expected: Array) -> float:
    if actual.shape != expected.shape:
        raise ValueError(f"an output has the shape {list(actual.shape)}, in PyTorch {list(expected.shape)}")
    if not np.issubdtype(expected.dtype, np.floating):
        return 0.0 if np.array_equal(actual, expected) else float("inf")
    difference = actual.astype(np.float64) - expected
    scale = float(np.sqrt(np.mean(np.square(expected, dtype=np.float64))))
    return float(np.sqrt(np.mean(difference**2))) / (scale or 1.0)


def as_json(results: list[Coverage]) -> list[dict[str, Any]]:
    return [{**asdict(result), "ok": result.ok} for result in results]
