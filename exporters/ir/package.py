"""What a package holds besides programs: schedules, the picture, the action schema, where play starts."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Phase:
    """A call of a program. `inputs` and `outputs` bind its ports to slots of the event."""

    name: str
    program: str
    inputs: dict[str, str]
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Schedule:
    """`delay`: calls of `on_step` before the first whose frames mean anything."""

    delay: int
    on_step: tuple[Phase, ...]
    on_append: tuple[Phase, ...] = ()
    on_encode: tuple[Phase, ...] = ()


@dataclass(frozen=True)
class PackageInfo:
    """Fields of the manifest (docs/package.md). `buttons` are (name, W3C key) pairs."""

    name: str
    fps: float = 30.0
    height: int = 1
    width: int = 1
    temporal_factor: int = 1
    batch: int = 1
    buttons: tuple[tuple[str, str], ...] = ()
    schedules: dict[str, Schedule] = field(default_factory=dict)
    start: dict[str, str] = field(default_factory=dict)  # "latents", "actions" -> tensor
    provenance: dict[str, Any] = field(default_factory=dict)
