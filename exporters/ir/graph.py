"""Editing a program: who makes a value, who reads it, and replacement."""

from collections import defaultdict

from .program import Attr, Op, Program, Value
from .shapes import infer


def make_op(
    name: str,
    inputs: list[Value | None],
    attrs: dict[str, Attr] | None = None,
    *,
    shape: tuple[int, ...] | None = None,
    dtype: str = "f32",
    source: str = "",
) -> Op:
    """A new op with one output. The shape is inferred where the operands determine it; ShapeError if they disagree."""
    attrs = attrs or {}
    inferred = infer(name, [None if value is None else value.shape for value in inputs], attrs)
    result = inferred if inferred is not None else shape
    assert result is not None, f"{name} needs the shape of its output"
    return Op(name, inputs, [Value(dtype, tuple(result))], attrs, source)


class Graph:
    """An index over a program, kept right by its methods. A pass changes the program through it alone."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.producer: dict[Value, Op] = {out: op for op in program.ops for out in op.outputs}
        self._readers: dict[Value, list[Op]] = defaultdict(list)
        for op in program.ops:
            self._attach(op)

    def _attach(self, op: Op) -> None:
        for value in op.inputs:
            if value is not None:
                self._readers[value].append(op)

    def readers(self, value: Value) -> list[Op]:
        """Ops that read the value, once for each operand."""
        return self._readers[value]

    def is_bound(self, value: Value) -> bool:
        """True if the value is an output or an update of the program."""
        return any(value is bound for bound in (*self.program.outputs.values(), *self.program.updates.values()))

    def sole_reader(self, value: Value) -> Op | None:
        """The op that reads the value, if nothing else needs it."""
        readers = self._readers[value]
        return readers[0] if len(readers) == 1 and not self.is_bound(value) else None

    def made_by(self, value: Value | None, name: str) -> Op | None:
        """The op of this name that makes the value."""
        op = self.producer.get(value) if value is not None else None
        return op if op is not None and op.name == name else None

    def insert(self, op: Op, before: Op) -> Value:
        self.program.ops.insert(self.program.ops.index(before), op)
        self.producer.update(dict.fromkeys(op.outputs, op))
        self._attach(op)
        return op.output

    def set_input(self, op: Op, index: int, value: Value | None) -> None:
        old = op.inputs[index]
        if old is not None:
            self._readers[old].remove(op)
        op.inputs[index] = value
        if value is not None:
            self._readers[value].append(op)

    def replace(self, old: Value, new: Value) -> None:
        """Every reader of `old`, and every binding, takes `new`."""
        for op in list(self._readers[old]):
            for i, value in enumerate(op.inputs):
                if value is old:
                    self.set_input(op, i, new)
        for bindings in (self.program.outputs, self.program.updates):
            for name, value in bindings.items():
                if value is old:
                    bindings[name] = new

    def remove(self, op: Op) -> None:
        """Takes an op out whose outputs nobody reads."""
        assert not any(self._readers[out] or self.is_bound(out) for out in op.outputs), f"{op.name} is still read"
        for i in range(len(op.inputs)):
            self.set_input(op, i, None)
        self.program.ops.remove(op)
        for out in op.outputs:
            del self.producer[out]
