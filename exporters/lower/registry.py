"""Which function lowers which torch op, and the one error that names everything that cannot be lowered."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch.fx import Node

Handler = Callable[..., Any]
_HANDLERS: dict[Any, Handler] = {}


Registered = TypeVar("Registered", bound=Handler)


def lowers(*targets: Any) -> Callable[[Registered], Registered]:
    """Registers a handler. It is called as `handler(ctx, *args, **kwargs)` with the node's arguments, where a node is
    an IR value, a constant (torch.Tensor) or a tuple of them; it returns the same."""

    def add(handler: Registered) -> Registered:
        for target in targets:
            assert target not in _HANDLERS, f"{target} is lowered twice"
            _HANDLERS[target] = handler
        return handler

    return add


def handler_of(target: Any) -> Handler | None:
    return _HANDLERS.get(target)


def handlers() -> dict[Any, Handler]:
    """What lowers each torch op."""
    return dict(_HANDLERS)


def without(targets: Iterable[Any]) -> None:
    """Forgets the lowerings of these ops: a test that adds one takes it back."""
    for target in targets:
        del _HANDLERS[target]


class UnsupportedError(Exception):
    """Raised by a handler for a form of its op that the runtime has no kernel for; the message is the reason."""


@dataclass(frozen=True)
class Problem:
    op: str
    reason: str
    module: str
    line: str


class UnsupportedOpsError(Exception):
    """All ops of an export that cannot be lowered, each with the module and the source line it comes from."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        unique = list(dict.fromkeys(problems))
        lines = [f"  {p.op} in {p.module or '(root)'}: {p.reason}\n      {p.line}" for p in unique]
        super().__init__(
            f"{len(unique)} places use what the runtime cannot run; rewrite them, or add a lowering "
            "(docs/add_an_op.md; docs/supported_ops.md lists what there is):\n" + "\n".join(lines)
        )


def module_path(node: Node) -> str:
    """Path of the innermost module that the node comes from."""
    stack = node.meta.get("nn_module_stack") or {}
    paths = [path for path, _ in stack.values()]
    return paths[-1] if paths else ""


def problem_of(node: Node, reason: str) -> Problem:
    target: object = node.target
    if isinstance(target, torch._ops.HigherOrderOperator):
        target = node.args[0]  # auto_functionalized(op, ...)
    trace = [line.strip() for line in (node.meta.get("stack_trace") or "").strip().splitlines()]
    line = ": ".join(trace[-2:]) if len(trace) >= 2 else "(no source line)"
    return Problem(str(target), reason, module_path(node), line)
