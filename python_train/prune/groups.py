"""What can be left out of a network: the heads of its attentions, the hidden channels of its feed-forwards."""

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from ..layers.attention import SelfAttention
from ..layers.mlp import ResidualMlp
from ..sim.blocks import ActionAttention, SpatialAttention, TemporalAttention

Kind = Literal["heads", "channels"]


@dataclass(frozen=True)
class Group:
    """The `units` of one module, any of which may go. Its linear layer `consumer` reads them side by side; of each of
    `producers` the first dimension is so many copies of them."""

    kind: Kind
    path: str
    units: int
    consumer: str
    producers: dict[str, int] = field(hash=False)

    def kept(self, name: str, parameter: Tensor, keep: Tensor) -> Tensor:
        """The parameter `name` without the units that are not in `keep` (indices, ascending)."""
        if name == f"{self.consumer}.weight":
            columns: Tensor = parameter.unflatten(1, (self.units, -1))
            return columns[:, keep].flatten(1)
        if name not in self.producers:
            return parameter
        copies = self.producers[name]
        rows: Tensor = parameter.unflatten(0, (copies, self.units, -1))
        return rows[:, keep].flatten(0, 2)


def find_groups(model: nn.Module) -> list[Group]:
    """All groups of a network, in the order of its layers."""
    groups = []
    for path, module in model.named_modules():
        group = _group(path, module)
        if group is not None:
            groups.append(group)
    return groups


def _group(path: str, module: nn.Module) -> Group | None:
    def linear(name: str, copies: int) -> dict[str, int]:
        return {f"{path}.{name}.{part}": copies for part in ("weight", "bias")}

    if isinstance(module, ActionAttention):
        return Group("heads", path, module.heads, f"{path}.out", linear("q", 1) | linear("kv", 2))
    if isinstance(module, SpatialAttention):
        return Group("heads", path, module.qkv.heads, f"{path}.out", linear("qkv.project", 3))
    if isinstance(module, TemporalAttention):
        bias = {f"{path}.bias": 1}
        return Group("heads", path, module.qkv.heads, f"{path}.out", linear("qkv.project", 3) | bias)
    if isinstance(module, SelfAttention):
        return Group("heads", path, module.heads, f"{path}.out", linear("qkv", 3))
    if isinstance(module, ResidualMlp):
        return Group("channels", path, module.up.out_features, f"{path}.down", linear("up", 1))
    return None


def masked(x: Tensor, mask: Tensor) -> Tensor:
    """What a consumer reads, each unit times its entry of `mask`."""
    units: Tensor = x.unflatten(-1, (len(mask), -1))
    return (units * mask[:, None].to(x.dtype)).flatten(-2)


def ones(group: Group) -> Tensor:
    return torch.ones(group.units, requires_grad=True)
