"""The table of ops (csrc/core/ops.def), as the native module tells it."""

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class InputDef:
    name: str
    role: str
    layout: str
    optional: bool
    variadic: bool


@dataclass(frozen=True)
class OpDef:
    name: str
    view: bool
    inputs: tuple[InputDef, ...]
    outputs: int
    attrs: dict[str, tuple[str, tuple[str, ...]]]  # name -> (type, choices)

    def input(self, index: int) -> InputDef:
        """Definition of operand `index`; variadic operands share the last one."""
        return self.inputs[min(index, len(self.inputs) - 1)]

    @property
    def variadic(self) -> bool:
        return bool(self.inputs) and self.inputs[-1].variadic


@cache
def op_table() -> dict[str, OpDef]:
    from yanrt import _C

    return {
        op["name"]: OpDef(
            name=op["name"],
            view=op["view"],
            inputs=tuple(InputDef(**item) for item in op["inputs"]),
            outputs=len(op["outputs"]),
            attrs={attr["name"]: (attr["type"], tuple(attr["choices"])) for attr in op["attrs"]},
        )
        for op in _C.op_table()
    }
