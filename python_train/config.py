"""Configs are frozen dataclasses; this file turns them into JSON and back, so that a checkpoint rebuilds its model.

A dataclass is written as an object with its class name under "type". Only classes marked with `@register` are built
again, so a checkpoint can name no other class. Sequences in configs are tuples.
"""

from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

T = TypeVar("T")
_classes: dict[str, type] = {}


def register(cls: type[T]) -> type[T]:
    """Class decorator: the dataclass may appear in a checkpoint's config."""
    _classes[cls.__name__] = cls
    return cls


def to_dict(config: Any) -> Any:
    """JSON-ready form of a registered dataclass, tuple or scalar."""
    if is_dataclass(config) and not isinstance(config, type):
        name = type(config).__name__
        if name not in _classes:
            raise ValueError(f"config class {name} is not registered")
        return {"type": name} | {item.name: to_dict(getattr(config, item.name)) for item in fields(config)}
    if isinstance(config, tuple):
        return [to_dict(item) for item in config]
    return config


def from_dict(data: Any) -> Any:
    """Inverse of `to_dict`. ValueError for an unknown class, TypeError for a field that its class lacks."""
    if isinstance(data, dict):
        if data.get("type") not in _classes:
            raise ValueError(f"unknown config class {data.get('type')!r}; known: {', '.join(sorted(_classes))}")
        arguments = {key: from_dict(value) for key, value in data.items() if key != "type"}
        return _classes[data["type"]](**arguments)
    if isinstance(data, list):
        return tuple(from_dict(item) for item in data)
    return data
