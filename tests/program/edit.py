"""Small edits of a manifest, named by a path, so that a malformed package is one line of a table."""

from typing import Any

DROP = object()
"""As a value: removes the key or the element."""


def _step(node: Any, key: str) -> Any:
    return node[key] if isinstance(node, dict) else node[_index(node, key)]


def _index(items: list[Any], key: str) -> int:
    """Of an element: its number, or the first op of that name."""
    if key.lstrip("-").isdigit():
        return int(key)
    return next(i for i, item in enumerate(items) if item["op"] == key)


def edit(manifest: dict[str, Any], path: str, value: Any) -> None:
    """Sets what `path` names to `value`: keys and numbers split by '|'; `ops|conv2d` is the first op of that name."""
    *parents, last = path.split("|")
    node: Any = manifest
    for parent in parents:
        node = _step(node, parent)
    key: Any = last if isinstance(node, dict) else _index(node, last)
    if value is DROP:
        del node[key]
    else:
        node[key] = value
