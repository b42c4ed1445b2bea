"""docs/supported_ops.md: generated from the registry of lowerings and the table of ops. A test compares."""

from collections import defaultdict

from .ir.table import OpDef, op_table
from .lower.registry import handlers

_HEAD = """# Supported ops

Written by `python -m exporters ops --markdown`; a test compares this page with the code.

An op that is not here is named, with all others that the export would need, in one `UnsupportedOpsError`;
[add_an_op.md](add_an_op.md) says how to add it. Everything that depends on constants alone is computed by torch at
export and needs no lowering.

## From torch

What `torch.export` leaves, by the file in `exporters/lower/` that lowers it.

| file | ops |
|---|---|
"""
_OPS = """
## In the runtime

The table of `csrc/core/ops.def`, where the shapes stand. `?` marks an optional operand, `...` a repeated one; a view
moves no data.

| op | operands | attributes |
|---|---|---|
"""


def supported_ops_page() -> str:
    families: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for target, handler in handlers().items():
        base, _, overload = str(target).removeprefix("aten.").partition(".")
        families[handler.__module__.rpartition(".")[2]][base].append(overload)
    rows = [f"| {family} | {_names(families[family])} |" for family in sorted(families)]
    ops = [_row(op) for op in op_table().values()]
    return _HEAD + "\n".join(rows) + "\n" + _OPS + "\n".join(ops) + "\n"


def _names(ops: dict[str, list[str]]) -> str:
    """`add` (Tensor, Scalar), `gelu`: overloads where there is another than the default."""
    shown = []
    for base in sorted(ops):
        overloads = sorted(overload for overload in ops[base] if overload)
        shown.append(f"`{base}`" + ("" if overloads in ([], ["default"]) else f" ({', '.join(overloads)})"))
    return ", ".join(shown)


def _row(op: OpDef) -> str:
    operands = ", ".join(
        item.name + ("?" if item.optional else "") + ("..." if item.variadic else "") for item in op.inputs
    )
    attrs = ", ".join(f"{name}: {' / '.join(choices) or kind}" for name, (kind, choices) in op.attrs.items())
    return f"| `{op.name}`{' (view)' if op.view else ''} | {operands} | {attrs} |"
