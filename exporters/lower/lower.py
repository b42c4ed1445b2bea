"""Exports modules that share buffers and turns each into a program.

A buffer that any program mutates becomes state. Everything that depends on parameters and other buffers alone (noise
embeddings, adaLN tables, position tables) is computed here, by torch itself, and stored as a tensor.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, OutputKind
from torch.fx import Node
from torch.utils import _pytree as pytree

from ..ir import Module, Program, State, Value
from ..ir.shapes import ShapeError
from . import attention, conv, custom, indexing, linear, norms, pointwise, views  # noqa: F401  register their ops
from .context import Constants, Context, dtype_name
from .registry import Problem, UnsupportedError, UnsupportedOpsError, handler_of, module_path, problem_of

# Ops that the runtime has whole; the others are decomposed to torch's core set.
_KEPT = (
    "linear", "layer_norm", "group_norm", "conv2d", "scaled_dot_product_attention", "gelu", "silu", "relu", "embedding",
    "pixel_shuffle", "pixel_unshuffle", "upsample_nearest2d",
)  # fmt: skip


@dataclass(frozen=True)
class ProgramSpec:
    """A module to export: example inputs fix the shapes; `outputs` name its results."""

    module: nn.Module
    inputs: tuple[Tensor, ...]
    outputs: tuple[str, ...] = ()


def lower(
    specs: dict[str, ProgramSpec],
    rename: Callable[[str], str] = lambda name: name,
    seeds: tuple[str, ...] = (),
) -> Module:
    """Programs, tensors and states of the modules.

    `rename` maps a parameter's or buffer's path in its module to its name in the package: programs share what has one
    name. `seeds` names the states that take the session's seed. Raises UnsupportedOpsError, for all programs at once.
    """
    exported = {name: _export(spec) for name, spec in specs.items()}
    module = Module()
    for program in exported.values():
        _declare_states(module, program, rename, seeds)
    constants = Constants(module)
    problems: list[Problem] = []
    for name, spec in specs.items():
        module.programs[name] = _Lowering(name, exported[name], constants, rename, problems).run(spec.outputs)
    if problems:
        raise UnsupportedOpsError(problems)
    return module


def _export(spec: ProgramSpec) -> ExportedProgram:
    table = torch.export.default_decompositions()
    for op in list(table):
        name, _, overload = str(op).removeprefix("aten.").partition(".")
        if name in _KEPT and overload in ("default", "vec"):
            table.pop(op)
    with torch.no_grad():
        program: ExportedProgram = torch.export.export(spec.module.eval(), spec.inputs).run_decompositions(table)
    return program


def _declare_states(
    module: Module, program: ExportedProgram, rename: Callable[[str], str], seeds: tuple[str, ...]
) -> None:
    mutated = {spec.target for spec in program.graph_signature.output_specs if spec.kind is OutputKind.BUFFER_MUTATION}
    mutated |= {target for target in _buffers(program) if rename(target) in seeds}
    for target in sorted(mutated & _buffers(program)):
        buffer = _tensor_of(program, target)
        name = rename(target)
        state = State(dtype_name(buffer.dtype), tuple(buffer.shape), role="seed" if name in seeds else "")
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
        rename: Callable[[str], str],
        problems: list[Problem],
    ) -> None:
        self.exported, self.rename, self.problems = exported, rename, problems
        self.states = constants.module.states
        self.ctx = Context(Program(name), constants)
        self.env: dict[Node, Any] = {}

    def run(self, outputs: tuple[str, ...]) -> Program:
        inputs = {spec.arg.name: spec for spec in self.exported.graph_signature.input_specs}
        for node in self.exported.graph.nodes:
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
        leaves = pytree.tree_leaves((args, kwargs))
        if any(leaf is _POISON for leaf in leaves):
            return _poisoned(node)
        if not any(isinstance(leaf, Value) for leaf in leaves):
            with torch.no_grad():
                return node.target(*args, **kwargs)  # type: ignore[operator]
        handler = handler_of(node.target)
        try:
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
            else:
                results.append(value)
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
