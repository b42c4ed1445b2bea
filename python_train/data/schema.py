"""The action schema: which buttons a world knows, in which order, and under which keys they are pressed."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class Button:
    """One held button. `name` is the game's own name, `key` the W3C `KeyboardEvent.code` that presses it."""

    name: str
    key: str


@dataclass(frozen=True)
class ActionSchema:
    """Ordered buttons of one world; a multi-hot action vector `[A]` follows this order everywhere.

    The schema is defined once (for Doom in `data/doom.py`), stored in every episode, copied into checkpoints and from
    there into the package that the runtime plays.
    """

    buttons: tuple[Button, ...]

    def __post_init__(self) -> None:
        names = [button.name for button in self.buttons]
        keys = [button.key for button in self.buttons]
        if not names:
            raise ValueError("action schema has no buttons")
        if len(set(names)) != len(names) or len(set(keys)) != len(keys):
            raise ValueError(f"action schema repeats a name or a key: names {names}, keys {keys}")

    def __len__(self) -> int:
        return len(self.buttons)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(button.name for button in self.buttons)

    def vector(self, held: Iterable[str]) -> np.ndarray:
        """Multi-hot uint8 `[A]` of the button names in `held`; ValueError for a name that the schema lacks."""
        vector = np.zeros(len(self), np.uint8)
        for name in held:
            if name not in self.names:
                raise ValueError(f"unknown button {name!r}; the schema has {', '.join(self.names)}")
            vector[self.names.index(name)] = 1
        return vector

    def to_dict(self) -> dict[str, list[dict[str, str]]]:
        return {"buttons": [asdict(button) for button in self.buttons]}

    def to_json(self) -> str:
        return json.dumps(self.to_dict())

    @classmethod
    def from_dict(cls, data: dict[str, list[dict[str, str]]]) -> "ActionSchema":
        return cls(tuple(Button(item["name"], item["key"]) for item in data["buttons"]))

    @classmethod
    def from_json(cls, text: str) -> "ActionSchema":
        return cls.from_dict(json.loads(text))
