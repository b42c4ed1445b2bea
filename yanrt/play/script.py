"""Action files: a timed list of held buttons as text (docs/actions_file.md)."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from yanrt.action import ActionSchema
from yanrt.errors import ArgumentError


@dataclass(frozen=True)
class Hold:
    """`buttons` held down for `frames` frames."""

    frames: int
    buttons: tuple[str, ...]


def parse_actions(text: str, where: str = "actions") -> list[Hold]:
    """Parses the text of an action file. Raises ArgumentError naming the line that is wrong; `where` names the file."""
    holds = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if not words[0].isdecimal() or int(words[0]) == 0:
            raise ArgumentError(f"{where}, line {number}: expected a number of frames of at least 1, got {words[0]!r}")
        holds.append(Hold(int(words[0]), tuple(words[1:])))
    if not holds:
        raise ArgumentError(f"{where} holds no actions; each line is a number of frames and the buttons held meanwhile")
    return holds


def read_actions(path: str | os.PathLike[str], schema: ActionSchema) -> NDArray[np.float32]:
    """An action file as multi-hot float32 `[frames, A]`. Raises ArgumentError naming what is wrong."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ArgumentError(f"cannot read the action file {os.fspath(path)!r}: {error}") from None
    holds = parse_actions(text, os.fspath(path))
    return np.concatenate([schema.encode(set(hold.buttons), hold.frames)[0] for hold in holds])


def by_step(actions: NDArray[np.float32], frames: int, temporal_factor: int) -> list[NDArray[np.float32]]:
    """Cuts (or repeats from the start) `actions` `[n, A]` to at least `frames` frames: one `[T, A]` a step."""
    steps = -(-frames // temporal_factor)
    frame = np.arange(steps * temporal_factor) % len(actions)
    return list(actions[frame].reshape(steps, temporal_factor, -1))
