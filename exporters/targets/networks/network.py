"""What an entry of the coverage table is: how to build a network, and what to call it with."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Network:
    """`make` builds the module; `inputs` are its keyword arguments, made under a fixed seed. Networks with
    `pretrained` weights keep them; the others get random ones."""

    name: str
    make: Callable[[], Any]
    inputs: Callable[[], dict[str, Any]]
    options: dict[str, Any] = field(default_factory=dict)  # keyword arguments that are no tensors
    pretrained: bool = False

    def build(self) -> nn.Module:
        torch.manual_seed(0)
        module: nn.Module = self.make().eval()
        return module if self.pretrained else randomised(module)

    def kwargs(self, seed: int = 1) -> dict[str, Any]:
        torch.manual_seed(seed)
        return {**self.inputs(), **self.options}


class Method(nn.Module):
    """One method of a module as its `forward`; parameters keep their paths below `module`."""

    def __init__(self, module: nn.Module, method: Callable[..., Any]) -> None:
        super().__init__()
        self.module = module
        self.method = method

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.method(self.module, *args, **kwargs)


def randomised(module: nn.Module) -> nn.Module:
    """Every parameter and statistic random, in the scale that training would leave: a zero-initialised gate or
    projection would hide everything behind it."""
    generator = torch.Generator().manual_seed(0)

    def noise(tensor: Tensor, scale: float) -> Tensor:
        return torch.randn(tensor.shape, generator=generator) * scale

    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.dim() > 1 and parameter[0].numel() > 1:
                parameter.copy_(noise(parameter, 1 / math.sqrt(parameter[0].numel())))
            else:
                parameter.add_(noise(parameter, 0.1))
        for name, buffer in module.named_buffers():
            if name.endswith("running_mean"):
                buffer.add_(noise(buffer, 0.1))
            elif name.endswith("running_var"):
                buffer.mul_(torch.exp(noise(buffer, 0.2)))
    return module
