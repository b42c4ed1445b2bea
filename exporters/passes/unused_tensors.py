"""Drops tensors that no program reads."""

from ..ir import Module


def unused_tensors(module: Module) -> None:
    used = module.used_tensors()
    module.tensors = {name: tensor for name, tensor in module.tensors.items() if name in used}
