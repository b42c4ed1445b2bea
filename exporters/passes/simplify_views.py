"""A chain of reshapes and permutes becomes the shortest equal one: at most reshape, permute, reshape.

The dimensions of the input are cut into atoms, as fine as some reshape of the chain demands; every view is then an
order of atoms and a grouping of them into dimensions. This cancels the permutes that the lowering puts around
convolutions and attention, and turns pixel shuffles into one permute.
"""

import math
from dataclasses import dataclass

from ..ir import Module, Op, Value
from ..ir.graph import Graph, make_op
from ..ir.program import Attr, Shape

_MAX_RANK = 8
_VIEWS = ("reshape", "permute")


@dataclass(eq=False)
class _Atom:
    size: int
    place: int = 0  # in the order of the input


class _Atoms:
    """The view after some steps: `dims` are groups of atoms; dimensions of extent 1 are empty groups."""

    def __init__(self, shape: Shape) -> None:
        self.dims = [[_Atom(extent)] if extent > 1 else [] for extent in shape]
        self.order = [atom for dim in self.dims for atom in dim]

    def permute(self, dims: list[int]) -> None:
        self.dims = [self.dims[dim] for dim in dims]

    def reshape(self, shape: list[int]) -> bool:
        """False if the new dimensions cut an atom at no whole factor."""
        rest = [atom for dim in self.dims for atom in dim]
        dims: list[list[_Atom]] = []
        for extent in shape:
            group: list[_Atom] = []
            while extent > 1:
                atom = rest.pop(0)
                if atom.size > extent:
                    if atom.size % extent:
                        return False
                    rest.insert(0, self._split(atom, extent))
                if extent % atom.size:
                    return False
                group.append(atom)
                extent //= atom.size
            dims.append(group)
        self.dims = dims
        return True

    def _split(self, atom: _Atom, outer: int) -> _Atom:
        inner = _Atom(atom.size // outer)
        atom.size = outer
        self.order.insert(self.order.index(atom) + 1, inner)
        return inner

    def number(self) -> list[_Atom]:
        """Sets `place` of all atoms; returns them in the order of the output."""
        for i, atom in enumerate(self.order):
            atom.place = i
        return [atom for dim in self.dims for atom in dim]


def _runs(atoms: list[_Atom]) -> list[list[_Atom]]:
    """Neighbours of the output that are neighbours in the input, too."""
    runs: list[list[_Atom]] = []
    for atom in atoms:
        if runs and runs[-1][-1].place + 1 == atom.place:
            runs[-1].append(atom)
        else:
            runs.append([atom])
    return runs


def _as_permute(view: _Atoms, shape: Shape) -> list[int] | None:
    """`dims` if a single permute of the input does it: no dimension was cut or joined."""
    extents = [math.prod(atom.size for atom in dim) for dim in view.dims]
    whole = len(view.order) == sum(extent > 1 for extent in shape) and all(len(dim) <= 1 for dim in view.dims)
    if not whole or len(extents) != len(shape):
        return None
    big = [i for i, extent in enumerate(shape) if extent > 1]
    small = iter([i for i, extent in enumerate(shape) if extent == 1])
    return [big[dim[0].place] if dim else next(small) for dim in view.dims]


def shortest(shape: Shape, chain: list[Op]) -> list[tuple[str, dict[str, Attr]]] | None:
    """The steps that do what `chain` does to a tensor of this shape; None if atoms cannot express it."""
    view = _Atoms(shape)
    for op in chain:
        if op.name == "permute":
            view.permute(op.attrs["dims"])  # type: ignore[arg-type]
        elif not view.reshape(op.attrs["shape"]):  # type: ignore[arg-type]
            return None
    atoms, target = view.number(), list(chain[-1].output.shape)
    runs = _runs(atoms)
    if len(runs) <= 1:
        return [] if tuple(target) == shape else [("reshape", {"shape": target})]
    dims = _as_permute(view, shape)
    if dims is not None:
        return [("permute", {"dims": dims})]
    by_place = sorted(range(len(runs)), key=lambda i: runs[i][0].place)
    sizes = [math.prod(atom.size for atom in run) for run in runs]
    if len(runs) > _MAX_RANK:
        return None
    split = [sizes[i] for i in by_place]
    steps: list[tuple[str, dict[str, Attr]]] = [("permute", {"dims": [by_place.index(i) for i in range(len(runs))]})]
    if tuple(split) != shape:
        steps.insert(0, ("reshape", {"shape": split}))
    if sizes != target:
        steps.append(("reshape", {"shape": target}))
    return steps


def simplify_views(module: Module, graph: Graph) -> None:
    for op in list(graph.program.ops):
        if op.name not in _VIEWS:
            continue
        chain, root = [op], op.inputs[0]
        while (producer := graph.producer.get(root)) is not None and producer.name in _VIEWS:  # type: ignore[arg-type]
            chain.insert(0, producer)
            root = producer.inputs[0]
        assert root is not None
        steps = shortest(root.shape, chain)
        if steps is not None and len(steps) < len(chain):
            graph.replace(op.output, _build(graph, root, steps, before=op))
            graph.remove(op)


def _build(graph: Graph, root: Value, steps: list[tuple[str, dict[str, Attr]]], before: Op) -> Value:
    for name, attrs in steps:
        root = graph.insert(make_op(name, [root], attrs, dtype=root.dtype, source=before.source), before)
    return root
