"""The action schema survives JSON and refuses what has no meaning."""

import numpy as np
import pytest

from python_train.data.doom import DOOM_SCHEMA
from python_train.data.schema import ActionSchema, Button


def test_json_round_trip_keeps_order() -> None:
    assert ActionSchema.from_json(DOOM_SCHEMA.to_json()) == DOOM_SCHEMA
    assert DOOM_SCHEMA.to_dict()["buttons"][0] == {"name": "MOVE_FORWARD", "key": "KeyW"}


def test_vector_is_multi_hot_in_schema_order() -> None:
    np.testing.assert_array_equal(DOOM_SCHEMA.vector({"TURN_RIGHT", "MOVE_FORWARD"}), [1, 0, 0, 0, 0, 1])
    assert DOOM_SCHEMA.vector([]).sum() == 0


def test_unknown_button_is_named() -> None:
    with pytest.raises(ValueError, match="JUMP"):
        DOOM_SCHEMA.vector(["JUMP"])


@pytest.mark.parametrize("buttons", [(), (Button("A", "KeyA"), Button("A", "KeyB")), (Button("A", "K"), Button("B", "K"))])
def test_empty_or_ambiguous_schema_is_refused(buttons: tuple[Button, ...]) -> None:
    with pytest.raises(ValueError, match="action schema"):
        ActionSchema(buttons)
