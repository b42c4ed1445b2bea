"""Muon (Jordan et al. 2024): momentum whose matrix is replaced by the nearest orthogonal one.

`torch.optim.Muon` does the same in bf16 alone, which a processor without bf16 instructions emulates; here the products
are float32 on such a one, and matrices of one shape are orthogonalised together.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from .precision import computes_bf16

# Quintic Newton-Schulz coefficients of the reference implementation: five steps bring singular values to about 1.
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
STEPS = 5


def orthogonalize(matrices: Tensor) -> Tensor:
    """Nearest semi-orthogonal matrices, approximately: `[N,rows,columns]`, singular values end within 0.7 to 1.2."""
    a, b, c = NEWTON_SCHULZ
    x = matrices.to(torch.bfloat16 if computes_bf16(matrices.device) else torch.float32)
    wide = x.shape[-1] >= x.shape[-2]
    x = x if wide else x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(STEPS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    result: Tensor = (x if wide else x.mT).to(matrices.dtype)
    return result


class Muon(Optimizer):
    """For the matrices of hidden layers. The update of a tall matrix is scaled by sqrt(rows / columns)."""

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float = 0.95, weight_decay: float = 0.01) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            shapes: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for p in group["params"]:
                if p.grad is not None:
                    shapes[p.shape].append(p)
            for parameters in shapes.values():
                self._update(parameters, group)

    def _update(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        momentum, updates = group["momentum"], []
        for p in parameters:
            assert p.grad is not None, "step() passes parameters with gradients alone"
            buffer = self.state[p].setdefault("momentum", torch.zeros_like(p))
            buffer.lerp_(p.grad, 1 - momentum)
            updates.append(p.grad.lerp(buffer, momentum))  # Nesterov
        rows, columns = parameters[0].shape
        scale = group["lr"] * max(1.0, rows / columns) ** 0.5
        for p, update in zip(parameters, orthogonalize(torch.stack(updates)), strict=True):
            p.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-scale)
