"""Checks a module against the table of ops and the rules of docs/package.md; runs after every pass."""

import re

from .printer import dump_op
from .program import NUMPY_DTYPES, Module, Op, Program, Value
from .shapes import ShapeError, broadcast, infer
from .table import OpDef, op_table

_MAX_RANK = 8
_ANY_DTYPE = ("copy", "concat", "pad", "reduce")  # what comes in goes out
_INTEGERS = ("seed", "counter", "index", "frame", "first_valid")


class IRError(ValueError):
    """A program breaks a rule; the message names the program, the op and the values."""


def verify(module: Module) -> None:
    """Raises IRError for the first rule that is broken."""
    for name, state in module.states.items():
        if state.init:
            tensor = module.tensors.get(state.init)
            if tensor is None or (tensor.dtype, tensor.data.shape) != (state.dtype, state.shape):
                raise IRError(f"state {name}: init {state.init!r} is no tensor {state.dtype}{list(state.shape)}")
    for program in module.programs.values():
        _verify_program(module, program)


def _verify_program(module: Module, program: Program) -> None:
    defined: set[Value] = set()
    for port, value in program.inputs.items():
        if value.source != "input" or value in defined:
            raise IRError(f"{program.name}: input {port!r} is not an input of its own")
        defined.add(value)
    for op in program.ops:
        try:
            _verify_op(module, op, defined)
        except (IRError, ShapeError) as error:
            raise IRError(f"{program.name}: {error}\n  in {dump_op(op)}") from None
        defined.update(op.outputs)
    for kind, bindings in (("output", program.outputs), ("update", program.updates)):
        for name, value in bindings.items():
            if not _known(module, value, defined):
                raise IRError(f"{program.name}: {kind} {name!r} is defined by nothing")
    for name, value in program.updates.items():
        state = module.states.get(name)
        if state is None or (state.dtype, state.shape) != (value.dtype, value.shape):
            raise IRError(f"{program.name}: update of {name!r} with {value.dtype}{list(value.shape)}; state is {state}")


def _known(module: Module, value: Value, defined: set[Value]) -> bool:
    if value.source == "tensor":
        tensor = module.tensors.get(value.name)
        return tensor is not None and (tensor.dtype, tensor.data.shape) == (value.dtype, value.shape)
    if value.source == "state":
        state = module.states.get(value.name)
        return state is not None and (state.dtype, state.shape) == (value.dtype, value.shape)
    return value in defined


def _verify_op(module: Module, op: Op, defined: set[Value]) -> None:
    definition = op_table().get(op.name)
    if definition is None:
        raise IRError(f"no op {op.name!r} in the table")
    if len(op.outputs) != definition.outputs or any(out.source != "op" or out in defined for out in op.outputs):
        raise IRError(f"{op.name} must define {definition.outputs} new values")
    if any(len(out.shape) > _MAX_RANK or out.dtype not in NUMPY_DTYPES or 0 in out.shape for out in op.outputs):
        raise IRError(f"an output has more than {_MAX_RANK} dimensions, is empty or has an unknown dtype")
    _verify_operands(module, op, definition, defined)
    _verify_attrs(op, definition)
    shapes = [None if value is None else value.shape for value in op.inputs]
    expected = infer(op.name, shapes, op.attrs)
    if expected is not None and expected != op.output.shape:
        raise IRError(f"output is declared {list(op.output.shape)}, computed {list(expected)}")
    if op.name == "pointwise":
        verify_expression(op)


def _verify_operands(module: Module, op: Op, definition: OpDef, defined: set[Value]) -> None:
    if len(op.inputs) != len(definition.inputs) and not definition.variadic:
        raise IRError(f"{op.name} takes {len(definition.inputs)} operands; got {len(op.inputs)}")
    for i, value in enumerate(op.inputs):
        operand = definition.input(i)
        if value is None:
            if not operand.optional:
                raise IRError(f"operand {operand.name} is missing")
            continue
        if not _known(module, value, defined):
            raise IRError(f"operand {operand.name} is not defined before it is read")
        if operand.role in ("weight", "ring") and value.source != {"weight": "tensor", "ring": "state"}[operand.role]:
            raise IRError(f"operand {operand.name} must be a {operand.role}, and is a {value.source}")
        wanted = None if op.name == "pointwise" else "i64" if operand.name in _INTEGERS else "f32"
        if definition.view or op.name in _ANY_DTYPE or (op.name == "gather" and operand.name == "table"):
            wanted = op.output.dtype
        if wanted is not None and value.dtype != wanted:
            raise IRError(f"operand {operand.name} is {value.dtype}, not {wanted}")
        if op.name == "reduce" and value.dtype not in ("f32", "i64"):
            raise IRError(f"operand {operand.name} is {value.dtype}, not f32 or i64")


def _verify_attrs(op: Op, definition: OpDef) -> None:
    if set(op.attrs) != set(definition.attrs):
        raise IRError(f"attributes are {sorted(op.attrs)}, not {sorted(definition.attrs)}")
    types = {"integer": int, "real": float, "ints": list, "strings": list, "choice": str}
    for name, value in op.attrs.items():
        kind, choices = definition.attrs[name]
        if type(value) is not types[kind] or (choices and value not in choices):
            raise IRError(f"attribute {name} = {value!r} is no {kind} {' '.join(choices)}".rstrip())


def verify_expression(op: Op) -> None:
    """The expression of a `pointwise` op names what exists, and the inputs broadcast to the output."""
    expr = op.attrs["expr"]
    if not isinstance(expr, list) or not expr or len(expr) > 128 or len(op.inputs) > 16:
        raise IRError(
            f"pointwise of {len(op.inputs)} inputs: expr must hold 1 to 128 instructions over at most 16 inputs"
        )
    shapes = [value.shape for value in op.inputs if value is not None]
    if broadcast(*shapes, op.output.shape) != op.output.shape:
        raise IRError(f"inputs {list(map(list, shapes))} do not broadcast to {list(op.output.shape)}")
    for i, instruction in enumerate(expr):
        for arg in str(instruction).split()[1:]:
            match = re.fullmatch(r"([i%])(\d+)", arg)
            if match and int(match[2]) >= (len(op.inputs) if match[1] == "i" else i):
                raise IRError(f"instruction {i} `{instruction}` reads {arg}, which is not there")
