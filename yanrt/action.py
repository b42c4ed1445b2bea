"""Actions: what a player holds down, in every form a caller may give it, as the array the model reads."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yanrt.errors import ArgumentError


@dataclass(frozen=True)
class CtrlInput:
    """One state of the controls.

    `button` names the held buttons (names of the model or W3C key codes), `mouse` is the movement (dx, dy) since the
    last action and `scroll_wheel` its notches; both must be zero for a world without a mouse.
    """

    button: Set[str] = frozenset()
    mouse: tuple[float, float] = (0.0, 0.0)
    scroll_wheel: int = 0


Action = None | str | Iterable[Any] | CtrlInput | NDArray[Any]
"""No action, one button, a set of buttons, a multi-hot vector, a `CtrlInput`, or one of these for each frame."""


@dataclass(frozen=True)
class Button:
    """A held button: `name` is the model's own, `key` the W3C `KeyboardEvent.code` that presses it ("KeyW")."""

    name: str
    key: str


class ActionSchema:
    """The buttons of a world in the order of its action vector. Read from the package; the same from data to play."""

    def __init__(self, buttons: Sequence[Button]) -> None:
        self.buttons = tuple(buttons)
        self._index = {button.key: i for i, button in enumerate(self.buttons)}
        self._index |= {button.name: i for i, button in enumerate(self.buttons)}

    def __len__(self) -> int:
        return len(self.buttons)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(button.name for button in self.buttons)

    def describe(self) -> str:
        """The valid buttons, for messages: `MOVE_FORWARD (KeyW), TURN_LEFT (ArrowLeft)`."""
        return ", ".join(f"{button.name} ({button.key})" for button in self.buttons)

    def held(self, vector: NDArray[Any]) -> tuple[str, ...]:
        """Names of the buttons that a multi-hot vector `[A]` holds down."""
        return tuple(name for name, value in zip(self.names, vector, strict=True) if value)

    def encode(self, action: Action, frames: int, batch: int = 1) -> NDArray[np.float32]:
        """`action` as float32 `[batch, frames, A]`, held = 1.

        With batch 1, a sequence of `frames` actions gives one to each frame. With a larger batch a sequence gives one
        action to each entry, and every one of these may be a sequence over frames. Raises ArgumentError.
        """
        if batch == 1:
            if isinstance(action, np.ndarray) and action.ndim == 3 and len(action) == 1:
                action = action[0]
            return self._frames(action, frames)[None]
        if _is_sequence_of_actions(action):
            entries = list(action)  # type: ignore[arg-type]
            if len(entries) != batch:
                raise ArgumentError(f"got actions for {len(entries)} entries, the batch has {batch}; give {batch}")
        else:
            entries = [action] * batch
        return np.stack([self._frames(entry, frames) for entry in entries])

    def _frames(self, action: Action, frames: int) -> NDArray[np.float32]:
        if not _is_sequence_of_actions(action):
            return np.repeat(self._vector(action)[None], frames, axis=0)
        actions = list(action)  # type: ignore[arg-type]
        if len(actions) != frames:
            raise ArgumentError(f"got actions for {len(actions)} frames, a step has {frames}; give one, or {frames}")
        return np.stack([self._vector(one) for one in actions])

    def _vector(self, action: Action) -> NDArray[np.float32]:
        """One action as float32 `[A]`."""
        vector = np.zeros(len(self), np.float32)
        if action is None:
            return vector
        if isinstance(action, CtrlInput):
            if tuple(action.mouse) != (0, 0) or action.scroll_wheel:
                raise ArgumentError(
                    f"this world has no mouse, got mouse={action.mouse}, scroll_wheel={action.scroll_wheel};"
                    f" its buttons are {self.describe()}"
                )
            return self._vector(action.button)
        if isinstance(action, str):
            action = {action}
        if isinstance(action, Iterable) and not isinstance(action, np.ndarray):
            items = list(action)
            if all(isinstance(item, str) for item in items):
                for item in items:
                    vector[self._button(item)] = 1
                return vector
            if not isinstance(action, Sequence):
                raise ArgumentError(f"an action's buttons are strings, got {action!r}; valid are {self.describe()}")
            action = items
        return self._multi_hot(action)

    def _button(self, name: str) -> int:
        index = self._index.get(name)
        if index is None:
            raise ArgumentError(f"unknown button {name!r}; valid are {self.describe()}")
        return index

    def _multi_hot(self, action: Any) -> NDArray[np.float32]:
        try:
            vector = np.asarray(action, np.float32)
        except (TypeError, ValueError):
            raise ArgumentError(f"cannot read {action!r} as an action; valid buttons are {self.describe()}") from None
        if vector.shape != (len(self),):
            raise ArgumentError(
                f"an action vector of this world has shape [{len(self)}], got {list(vector.shape)}: one entry for each"
                f" of {self.describe()}"
            )
        if not np.all((vector >= 0) & (vector <= 1)):  # also refuses NaN
            raise ArgumentError(f"entries of an action vector lie in [0, 1], got {vector.tolist()}")
        return vector


def _is_sequence_of_actions(action: Action) -> bool:
    """True for `[T, ...]`: an array of rank 2 or more, or a list of actions rather than of names or numbers."""
    if isinstance(action, np.ndarray):
        return action.ndim >= 2
    if isinstance(action, str) or not isinstance(action, Sequence):
        return False
    return len(action) > 0 and any(
        item is None or (isinstance(item, CtrlInput | Sequence | Set | np.ndarray) and not isinstance(item, str))
        for item in action
    )
