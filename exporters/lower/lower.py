"""Exports modules that share buffers and turns each into a program.

A buffer that any program mutates becomes state. Everything that depends on parameters and other buffers alone (noise
embeddings, adaLN tables, position tables) is computed here, by torch itself, and stored as a tensor.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, OutputKind
from torch.fx import Node
from torch.utils import _pytree as pytree

from ..ir import Module, Program, State, Value
from ..ir.shapes import ShapeError
from . import (  # noqa: F401  register their ops
    attention,
    conv,
    custom,
    functions,
    indexing,
    linear,
    norms,
    pointwise,
    pooling,
    reductions,
    resample,
    views,
)
from .context import Constants, Context, dtype_name
from .registry import Problem, UnsupportedError, UnsupportedOpsError, handler_of, module_path, problem_of
from .trace import check_static, draws_numbers, evaluate, trace

Rename = Callable[[str], str]


@dataclass(frozen=True)
class ProgramSpec:
    """A module to export: example inputs fix the shapes; `outputs` name its results. Inputs may hold tensors in tuples,
    lists and dictionaries, and constants (None, numbers, strings), which are fixed in the program."""

    module: nn.Module
    inputs: tuple[Any, ...]
    outputs: tuple[str, ...] = ()
    keywords: dict[str, Any] = field(default_factory=dict)
    prefix: str = ""  # of paths in `module` that names in the package do not have

    def names(self, rename: Rename) -> Rename:
        """From a path in the module to a name in the package."""
        return lambda path: rename(path.removeprefix(self.prefix))


def lower(
    specs: dict[str, ProgramSpec],
    rename: Rename = lambda name: name,
    seeds: tuple[str, ...] = (),
) -> Module:
    """Programs, tensors and states of the modules.

    `rename` maps a parameter's or buffer's path in its module to its name in the package: programs share what has one
    name. `seeds` names the states that take the session's seed. Raises UnsupportedOpsError, for all programs at once.
    """
    exported = {name: trace(name, spec.module, spec.inputs, spec.keywords) for name, spec in specs.items()}
    module = Module()
    for name, program in exported.items():
        _declare_states(module, program, specs[name].names(rename), seeds)
    constants = Constants(module)
    problems: list[Problem] = []
    for name, spec in specs.items():
        lowering = _Lowering(name, exported[name], constants, spec.names(rename), problems)
        module.programs[name] = lowering.run(spec.outputs)
    if problems:
        raise UnsupportedOpsError(problems)
    return module


def _declare_states(module: Module, program: ExportedProgram, rename: Rename, seeds: tuple[str, ...]) -> None:
    mutated = {spec.target for spec in program.graph_signature.output_specs if spec.kind is OutputKind.BUFFER_MUTATION}
    mutated |= {target for target in _buffers(program) if rename(target) in seeds}
    for target in sorted(mutated & _buffers(program)):
        buffer = _tensor_of(program, target)
        name = rename(target)
        state = State(dtype_name(buffer.dtype), tuple(buffer.shape), role="seed" if name in seeds else "")
        known = module.states.get(name)
        if known and (known.dtype, known.shape) != (state.dtype, state.shape):
            raise ValueError(
                f"state {name!r} is {known.dtype}{list(known.shape)} in one program and {state.dtype}"
                f"{list(state.shape)} in another; give the buffer of the second another name"
            )
        if buffer.count_nonzero() and not state.role:
            state.init = f"{name}.init"
            Constants(module).add(buffer, state.init)
        module.states[name] = state


def _buffers(program: ExportedProgram) -> set[str]:
    return {str(spec.target) for spec in program.graph_signature.input_specs if spec.kind is InputKind.BUFFER}


def _tensor_of(program: ExportedProgram, target: str) -> Tensor:
    tensor: Tensor | None = program.state_dict.get(target)
    return program.constants[target] if tensor is None else tensor


class _Lowering:
    """One program: walks the graph once, with every node's value in `env`."""

    def __init__(
        self,
        name: str,
        exported: ExportedProgram,
        constants: Constants,
        rename: Rename,
        problems: list[Problem],
    ) -> None:
        self.exported, self.rename, self.problems = exported, rename, problems
        self.states = constants.module.states
        self.ctx = Context(Program(name), constants)
        self.env: dict[Node, Any] = {}

    def run(self, outputs: tuple[str, ...]) -> Program:
        inputs = {spec.arg.name: spec for spec in self.exported.graph_signature.input_specs}
        nodes = self.exported.graph.nodes
        self.ctx.program.traced_ops = sum(node.op == "call_function" for node in nodes)
        for node in nodes:
            if node.op == "placeholder":
                self.env[node] = self._placeholder(node, inputs[node.name])
            elif node.op == "call_function":
                self.env[node] = self._call(node)
            elif node.op == "output":
                self._outputs(node, outputs)
        self._mark_rings()
        return self.ctx.program

    def _placeholder(self, node: Node, spec: Any) -> Any:
        if spec.kind is InputKind.USER_INPUT:
            meta = node.meta["val"]
            if not isinstance(meta, Tensor):
                return meta  # a constant, fixed in the program
            value = Value(dtype_name(meta.dtype), tuple(meta.shape), "input", node.name)
            self.ctx.program.inputs[node.name] = value
            return value
        name = self.rename(spec.target)
        if spec.kind is InputKind.BUFFER and name in self.states:
            return self.ctx.state(name, self.states[name].dtype, self.states[name].shape)
        tensor = _tensor_of(self.exported, spec.target)
        self.ctx.keep(tensor, name)
        return tensor

    def _call(self, node: Node) -> Any:
        self.ctx.source, self.ctx.meta = self.rename(module_path(node)), node.meta.get("val")
        args, kwargs = pytree.tree_map_only(Node, self.env.__getitem__, (node.args, node.kwargs))
        if node.target is operator.getitem:
            return args[0][args[1]]
        if isinstance(self.ctx.meta, Tensor) and any(type(n) is int and n == 0 for n in self.ctx.meta.shape):
            return torch.zeros(self.ctx.meta.shape, dtype=self.ctx.meta.dtype)  # nothing, whatever it is made of
        leaves = pytree.tree_leaves((args, kwargs))
        if any(leaf is _POISON for leaf in leaves):
            return _poisoned(node)
        handler = handler_of(node.target)
        random = handler is None and draws_numbers(node.target)
        if not any(isinstance(leaf, Value) for leaf in leaves) and not random:
            return evaluate(node.target, args, kwargs)
        try:
            check_static(node)
            if random:
                raise UnsupportedError("draws random numbers; make the noise an input, or use torch.ops.yanrt.randn")
            if handler is None:
                raise UnsupportedError("there is no lowering for this op")
            return handler(self.ctx, *args, **kwargs)
        except (UnsupportedError, ShapeError) as error:
            self.problems.append(problem_of(node, str(error)))
            return _poisoned(node)

    def _outputs(self, node: Node, names: tuple[str, ...]) -> None:
        results = []
        for spec, result in zip(self.exported.graph_signature.output_specs, node.args[0], strict=True):  # type: ignore[arg-type]
            item = self.env[result] if isinstance(result, Node) else None
            if item is None or item is _POISON:
                continue
            value = self.ctx.value(item)
            if spec.kind is OutputKind.BUFFER_MUTATION:
                name = self.rename(str(spec.target))
                if not (value.source == "state" and value.name == name):
                    self.ctx.program.updates[name] = value
            elif spec.kind is OutputKind.USER_OUTPUT:
                results.append(value)
            else:
                self.problems.append(problem_of(result, f"changes the argument {spec.target!r}; return it instead"))
        names = names or (("output",) if len(results) == 1 else tuple(f"output_{i}" for i in range(len(results))))
        if not self.problems:
            if len(names) != len(results):
                raise ValueError(f"{self.ctx.program.name} has {len(results)} outputs, and names for {len(names)}")
            self.ctx.program.outputs = dict(zip(names, results, strict=True))

    def _mark_rings(self) -> None:
        for op in self.ctx.program.ops:
            if op.name == "ring_attention":
                for ring in op.inputs[3:5]:
                    assert ring is not None
                    self.states[ring.name].kind = "compute"


_POISON = object()  # result of an op that could not be lowered: what depends on it is not reported again


def _poisoned(node: Node) -> Any:
    value = node.meta.get("val")
    return tuple(_POISON for _ in value) if isinstance(value, list | tuple) else _POISON
