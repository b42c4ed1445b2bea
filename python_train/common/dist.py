"""Data parallelism under torchrun. A batch is drawn whole on every process and each takes its share (`shard`), so a run
gives the same result, up to rounding, with any number of processes."""

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class World:
    """This process among all: `rank` of `size`."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def shard(self, batch: int) -> slice:
        """The rows of a global batch that belong to this process; ValueError if it does not divide evenly."""
        if batch % self.size:
            raise ValueError(f"a batch of {batch} does not divide among {self.size} processes")
        return slice(self.rank, None, self.size)


def start() -> World:
    """Joins the process group that torchrun announces; alone, it is a world of one."""
    if "RANK" not in os.environ or int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return World()
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend)
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    return World(dist.get_rank(), dist.get_world_size())


def stop() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def device() -> torch.device:
    return torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")


def wrap(model: nn.Module, world: World) -> nn.Module:
    return DistributedDataParallel(model) if world.size > 1 else model


def agree(flag: bool, world: World) -> bool:
    """Process 0's `flag` on all processes: decisions by the clock must be the same everywhere."""
    if world.size == 1:
        return flag
    value = torch.tensor([int(flag)], device=device())
    dist.broadcast(value, 0)
    return bool(value.item())


def mean(value: Tensor, world: World) -> Tensor:
    """Average of a scalar over all processes."""
    if world.size > 1:
        value = value.clone()
        dist.all_reduce(value)
        value /= world.size
    return value
