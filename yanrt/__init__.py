"""yanrt plays interactive video world models frame by frame. Needs numpy alone; torch is never imported.

    import yanrt

    with yanrt.Session("doom") as session:
        obs, info = session.reset(seed=7)              # uint8 [T, H, W, 3]
        frames, info = session.step({"MOVE_FORWARD"})  # uint8 [T, H, W, 3]

Names resolve on first use, so `import yanrt` costs next to nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from yanrt.action import ActionSchema, Button, CtrlInput
    from yanrt.engine import Engine, MemoryUse, Runner, estimate
    from yanrt.errors import (
        ArgumentError,
        DeviceError,
        Error,
        OutOfMemoryError,
        PackageError,
        StateError,
        UnsupportedError,
    )
    from yanrt.package import Package, packaged_models
    from yanrt.session import Session

__version__ = "0.1.0"

_HOME = {
    "action": ("ActionSchema", "Button", "CtrlInput"),
    "engine": ("Engine", "MemoryUse", "Runner", "estimate"),
    "errors": (
        "ArgumentError",
        "DeviceError",
        "Error",
        "OutOfMemoryError",
        "PackageError",
        "StateError",
        "UnsupportedError",
    ),
    "package": ("Package", "packaged_models"),
    "session": ("Session",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "ActionSchema",
    "ArgumentError",
    "Button",
    "CtrlInput",
    "DeviceError",
    "Engine",
    "Error",
    "MemoryUse",
    "OutOfMemoryError",
    "Package",
    "PackageError",
    "Runner",
    "Session",
    "StateError",
    "UnsupportedError",
    "estimate",
    "packaged_models",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'yanrt' has no attribute {name!r}; it has {', '.join(__all__)}")
    value = getattr(importlib.import_module(f"yanrt.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
