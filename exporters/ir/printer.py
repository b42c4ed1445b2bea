"""Text dumps: one line an op, values numbered in order of definition. Tests of passes compare these."""

from .program import Attr, Module, Op, Program, Value


def _attr(value: Attr) -> str:
    if isinstance(value, list):
        return "[" + (", " if value and isinstance(value[0], int) else "; ").join(map(str, value)) + "]"
    return repr(value) if isinstance(value, float) else str(value)


class _Names:
    """Names of values: tensors and states by name, the others by number."""

    def __init__(self) -> None:
        self._numbers: dict[Value, int] = {}

    def __call__(self, value: Value | None) -> str:
        if value is None:
            return "_"
        if value.source == "tensor":
            return value.name
        if value.source == "state":
            return f"${value.name}"
        return f"%{self._numbers.setdefault(value, len(self._numbers))}"


def dump_op(op: Op, names: _Names | None = None) -> str:
    """`%9 f32[1, 160, 320] = linear(%7, blocks.0.up.weight, ...) {act=gelu_tanh} # blocks.0.ffn`"""
    names = names or _Names()
    inputs = ", ".join(map(names, op.inputs))
    outputs = ", ".join(f"{names(out)} {out.dtype}{list(out.shape)}" for out in op.outputs)
    attrs = " {" + ", ".join(f"{key}={_attr(value)}" for key, value in op.attrs.items()) + "}" if op.attrs else ""
    return f"{outputs} = {op.name}({inputs}){attrs}" + (f" # {op.source}" if op.source else "")


def dump_program(program: Program) -> str:
    names = _Names()
    ports = ", ".join(
        f"{port}: {names(value)} {value.dtype}{list(value.shape)}" for port, value in program.inputs.items()
    )
    lines = [f"program {program.name}({ports})"]
    lines += ["  " + dump_op(op, names) for op in program.ops]
    lines += [f"  ${state} <- {names(value)}" for state, value in program.updates.items()]
    lines += [f"  return {port} = {names(value)}" for port, value in program.outputs.items()]
    return "\n".join(lines) + "\n"


def dump(module: Module) -> str:
    """States and programs; tensors appear where they are used."""
    lines = [f"state {name} {state.dtype}{list(state.shape)} {state.kind}" for name, state in module.states.items()]
    return "\n".join([*lines, *map(dump_program, module.programs.values())])
