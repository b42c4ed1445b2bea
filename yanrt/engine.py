"""Engines: a package made ready for one device, precision and number of threads. Immutable, shared by many sessions."""

import os
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yanrt import _C
from yanrt.errors import ArgumentError
from yanrt.package import Package

PRECISIONS = ("fp32", "bf16", "int8", "fp8")
KV_TYPES = ("auto", "fp8")


@dataclass(frozen=True)
class MemoryUse:
    """Bytes a session needs. `weights` and `workspace` are an engine's, shared by its sessions; `state` is its own."""

    weights: int
    workspace: int
    state: int

    @property
    def total(self) -> int:
        return self.weights + self.workspace + self.state

    @classmethod
    def from_native(cls, sizes: Mapping[str, int]) -> "MemoryUse":
        return cls(weights=sizes["weights"], workspace=sizes["workspace"], state=sizes["state"])

    def to_dict(self) -> dict[str, int]:
        return {**asdict(self), "total": self.total}


def resolve_precision(precision: str) -> str:
    """`auto` is bf16: weights and the inputs of matrix products in bf16, sums in f32. Raises ArgumentError."""
    if precision == "auto":
        return "bf16"
    if precision not in PRECISIONS:
        raise ArgumentError(f"unknown precision {precision!r}; valid are auto, {', '.join(PRECISIONS)}")
    return precision


def _resolve_threads(threads: int | None) -> int:
    if threads is None:
        return 0
    if threads < 1:
        raise ArgumentError(f"threads must be at least 1, got {threads}; leave it out to use every core")
    return threads


def estimate(
    model: "str | os.PathLike[str] | Package",
    precision: str = "auto",
    threads: int | None = None,
    isa: str = "auto",
    kv: str = "auto",
) -> MemoryUse:
    """Memory that an engine with one session will use, from the plan alone: nothing is packed, nothing runs."""
    package = Package.open(model)
    precision = resolve_precision(precision)
    planned = _C.Engine(package.native, "cpu", precision, _resolve_threads(threads), isa, kv=kv, count_only=True)
    return MemoryUse.from_native(planned.info["memory"])


def _cublaslt_path(gemm: str) -> str:
    """Of the library that `gemm` asks for; "" for own kernels. Raises ArgumentError."""
    kind, _, path = gemm.partition(":")
    if kind == "own" and not path:
        return ""
    if kind != "cublaslt":
        raise ArgumentError(f"unknown gemm {gemm!r}; valid are own, cublaslt, cublaslt:PATH")
    from yanrt.cuda import find_cublaslt

    return path or find_cublaslt()


class Engine:
    """Weights packed and programs planned for one configuration.

    `device` is "auto" or "cpu", or "cuda" or "cuda:1" in a build with CUDA ("cuda-sim" in test builds); "auto" is the
    CPU. `precision` is "auto" or one of PRECISIONS; `threads` the size of the thread pool (None: every core; the CPU's
    alone); `isa` the instruction set, or the GPU's architecture ("sm_80"; "auto": the best there is). `kv` is how
    the K/V rings are kept: "auto" as the precision computes, or "fp8", half of that memory. `decoder` ("cuda:1")
    gives the programs that keep no state a GPU of their own, or a stream of their own on the same one: with
    `Session.submit` a step's frames are decoded while the next step is computed. `gemm` "cublaslt" lets NVIDIA's
    library (`pip install yanrt[cublas]`, or "cublaslt:PATH") multiply in linear layers in bf16 and fp8, where it has
    an algorithm for their shape; "own" are yanrt's kernels alone. Whatever cannot be had raises
    UnsupportedError: nothing falls back silently. `op_by_op` is there for comparison alone: on the CPU every op
    allocates its outputs and wakes the threads; on a GPU every launch is made by itself, without a graph.
    """

    def __init__(
        self,
        model: "str | os.PathLike[str] | Package",
        device: str = "auto",
        precision: str = "auto",
        threads: int | None = None,
        isa: str = "auto",
        kv: str = "auto",
        decoder: str = "auto",
        *,
        gemm: str = "own",
        op_by_op: bool = False,
    ) -> None:
        self.package = Package.open(model)
        self.precision = resolve_precision(precision)
        device = "cpu" if device == "auto" else device
        threads = _resolve_threads(threads)
        self.native = _C.Engine(
            self.package.native,
            device,
            self.precision,
            threads,
            isa,
            kv=kv,
            decoder=decoder,
            cublaslt=_cublaslt_path(gemm),
            op_by_op=op_by_op,
        )
        self.info: dict[str, Any] = self.native.info

    @property
    def memory(self) -> MemoryUse:
        """Bytes in use by this engine, and those of each of its sessions."""
        return MemoryUse.from_native(self.info["memory"])

    def runner(self) -> "Runner":
        """A fresh set of state on which single programs run: what tests and tools need."""
        return Runner(self)


class Runner:
    """Runs single programs over its own state, which can be read and written by name:

    runner.program("forward")(x, y)  # -> a tuple of arrays
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._native = engine.native.runner()
        self.state: MutableMapping[str, NDArray[Any]] = _State(self._native)

    def reset(self, seed: int = 0) -> None:
        """Back to the initial state; entry b of the batch gets the seed `seed + b`."""
        self._native.reset([seed + entry for entry in range(self.engine.package.batch)])

    def program(self, name: str) -> "Program":
        """One program over this state. Raises ArgumentError naming those there are."""
        return Program(self._native, name, self.engine.package.program(name))


class Program:
    """A call runs the program and publishes its updates of the state. `inputs` and `outputs` name its ports."""

    def __init__(self, native: _C.Runner, name: str, manifest: Mapping[str, Any]) -> None:
        self._native = native
        self.name = name
        self.inputs: tuple[str, ...] = tuple(port["name"] for port in manifest["inputs"])
        self.outputs: tuple[str, ...] = tuple(port["name"] for port in manifest["outputs"])

    def __call__(self, *arrays: NDArray[Any], **named: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        """Arrays in the order of the inputs, or by name; outputs in their order. Raises ArgumentError if one is
        missing, unknown or given twice, or its dtype or shape is another."""
        given = dict(zip(self.inputs, arrays, strict=False))
        wrong = [name for name in named if name not in self.inputs or name in given]
        missing = [name for name in self.inputs if name not in given and name not in named]
        if wrong or missing or len(arrays) > len(self.inputs):
            raise ArgumentError(
                f"program {self.name!r} takes {', '.join(self.inputs) or 'nothing'}; got {len(arrays)} by position"
                + (f", {', '.join(named)} by name" if named else "")
            )
        ordered = [np.ascontiguousarray({**given, **named}[name]) for name in self.inputs]
        return tuple(self._native.run(self.name, ordered))


class _State(MutableMapping[str, NDArray[Any]]):
    """State by name, in its declared dtype: a ring that is stored as bf16 reads as float32."""

    def __init__(self, native: _C.Runner) -> None:
        self._native = native

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._native.get_state(name)

    def __setitem__(self, name: str, value: NDArray[Any]) -> None:
        self._native.set_state(name, np.ascontiguousarray(value))

    def __delitem__(self, name: str) -> None:
        raise ArgumentError(f"state {name!r} cannot be deleted; assign zeros to clear it")

    def __iter__(self) -> Iterator[str]:
        return iter(self._native.state_names())

    def __len__(self) -> int:
        return len(self._native.state_names())
