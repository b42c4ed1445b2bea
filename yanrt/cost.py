"""What ops cost, and what a device can do: the two sides of every roofline (profiles, estimates, benchmarks)."""

from dataclasses import dataclass
from typing import Any

from yanrt import _C

# The unit that products of matrices run on, by precision: the first that the device has. A processor has none for FP8,
# whose weights meet bf16 activations there; attention is never quantised. Products of f32 may run on a unit of bf16, in
# parts.
_F32 = ("f32_products", "f32")
_GEMM_UNITS = {"fp32": _F32, "bf16": ("bf16",), "fp8": ("fp8", "bf16"), "int8": ("int8",)}
_ATTENTION_UNITS = {"fp32": _F32, "bf16": ("bf16",), "fp8": ("bf16",), "int8": ("bf16",)}


@dataclass(frozen=True)
class OpCost:
    """Exact operations and bytes of one op of a plan (csrc/runtime/cost.h). A multiply-add counts as two."""

    op: str
    kernel: str
    source: str  # where in the model it came from
    flops: float
    exponentials: float  # of `flops`: of a softmax
    read: float
    written: float
    weights: float  # of `read`
    quadratic: bool  # operations grow with the square of the tokens
    matrix: bool  # a product of matrices

    @property
    def bytes(self) -> float:
        return self.read + self.written


def costs_of(engine: _C.Engine, program: str) -> list[OpCost]:
    """One entry an op of the plan, in the order in which they run."""
    return [OpCost(**op) for op in engine.ops(program)]


@dataclass(frozen=True)
class Ceiling:
    """What a device does at best: operations a second by unit ("f32", "f32_products", ...), and bytes a second."""

    operations: dict[str, float]
    bytes: float

    @classmethod
    def measure(cls, threads: int, working_set: int | None = None) -> "Ceiling":
        """Of this processor, with `threads` threads, now; `bytes` is what reading `working_set` bytes again and again
        gives (None: so many that no cache holds them)."""
        found: dict[str, Any] = _C.measure_ceiling(threads, *([] if working_set is None else [working_set]))
        return cls({unit: value for unit, value in found.items() if unit != "bytes"}, found["bytes"])

    def best(self, other: "Ceiling") -> "Ceiling":
        """The larger of two measurements, unit by unit."""
        operations = {unit: max(value, other.operations[unit]) for unit, value in self.operations.items()}
        return Ceiling(operations, max(self.bytes, other.bytes))

    def unit(self, cost: OpCost, precision: str) -> str:
        """The unit that computes an op in this precision; what is no product of matrices runs in f32."""
        if not cost.matrix:
            return "f32"
        units = (_ATTENTION_UNITS if "attention" in cost.op else _GEMM_UNITS)[precision]
        return next(unit for unit in units if unit in self.operations)

    def ideal_seconds(self, cost: OpCost, precision: str) -> tuple[str, float]:
        """("compute" or "memory", the least time an op can take): the roofline of Williams et al. (2009)."""
        compute = cost.flops / self.operations[self.unit(cost, precision)]
        memory = cost.bytes / self.bytes
        return ("compute", compute) if cost.matrix and compute >= memory else ("memory", max(memory, compute))
