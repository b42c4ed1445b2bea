import numpy as np
import pytest

from yanrt.action import ActionSchema, Button, CtrlInput
from yanrt.errors import ArgumentError, Error

SCHEMA = ActionSchema([Button("FORWARD", "KeyW"), Button("LEFT", "ArrowLeft"), Button("FIRE", "Space")])
FORWARD_FIRE = [1, 0, 1]


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (None, [0, 0, 0]),
        (set(), [0, 0, 0]),
        ([], [0, 0, 0]),
        ("FORWARD", [1, 0, 0]),
        ("KeyW", [1, 0, 0]),
        ({"FORWARD", "FIRE"}, FORWARD_FIRE),
        (frozenset({"KeyW", "Space"}), FORWARD_FIRE),
        (["FORWARD", "Space"], FORWARD_FIRE),
        (("KeyW", "FIRE", "KeyW"), FORWARD_FIRE),
        ((name for name in ("KeyW", "FIRE")), FORWARD_FIRE),
        ([1, 0, 1], FORWARD_FIRE),
        (np.array([True, False, True]), FORWARD_FIRE),
        (np.array([1, 0, 0.5], np.float64), [1, 0, 0.5]),
        (CtrlInput({"KeyW", "FIRE"}), FORWARD_FIRE),
        (CtrlInput(), [0, 0, 0]),
    ],
)
def test_one_action_covers_every_frame(action, expected) -> None:
    encoded = SCHEMA.encode(action, frames=2)
    assert encoded.dtype == np.float32
    assert encoded.tolist() == [[expected, expected]]


@pytest.mark.parametrize(
    "actions",
    [
        [{"FORWARD"}, None],
        ({"KeyW"}, set()),
        [["FORWARD"], []],
        [CtrlInput({"FORWARD"}), None],
        [[1, 0, 0], [0, 0, 0]],
        np.array([[1, 0, 0], [0, 0, 0]]),
        np.array([[[1, 0, 0], [0, 0, 0]]]),
    ],
)
def test_one_action_for_each_frame(actions) -> None:
    assert SCHEMA.encode(actions, frames=2).tolist() == [[[1, 0, 0], [0, 0, 0]]]


def test_batch_takes_one_action_for_all_or_one_each() -> None:
    assert SCHEMA.encode("FIRE", frames=1, batch=2).tolist() == [[[0, 0, 1]], [[0, 0, 1]]]
    assert SCHEMA.encode([{"FIRE"}, None], frames=1, batch=2).tolist() == [[[0, 0, 1]], [[0, 0, 0]]]
    each_frame = SCHEMA.encode([[{"FIRE"}, None], {"LEFT"}], frames=2, batch=2)
    assert each_frame.tolist() == [[[0, 0, 1], [0, 0, 0]], [[0, 1, 0], [0, 1, 0]]]
    with pytest.raises(ArgumentError, match="actions for 3 entries, the batch has 2"):
        SCHEMA.encode([None, None, None], frames=1, batch=2)


@pytest.mark.parametrize(
    ("action", "names"),
    [
        ("JUMP", "JUMP"),
        ({"FORWARD", "JUMP"}, "JUMP"),
        ({"KeyQ"}, "KeyQ"),
        ({1, 2}, "{1, 2}"),
        ([1, 0], r"\[2\]"),
        (np.zeros(4), r"\[4\]"),
        (np.zeros((3, 3)), "3 frames"),
        ([None], "1 frames"),
        ([2, 0, 0], r"\[2.0, 0.0, 0.0\]"),
        ([-1, 0, 0], r"\[-1.0, 0.0, 0.0\]"),
        ([float("nan"), 0, 0], "nan"),
        (3, r"\[\]"),
        (object(), "object"),
        (CtrlInput(mouse=(3, 0)), r"mouse=\(3, 0\)"),
        (CtrlInput(scroll_wheel=1), "scroll_wheel=1"),
        (CtrlInput({"JUMP"}), "JUMP"),
    ],
)
def test_wrong_actions_are_named(action, names) -> None:
    with pytest.raises(ArgumentError, match=names) as caught:
        SCHEMA.encode(action, frames=2)
    assert isinstance(caught.value, Error)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("action", ["JUMP", {1, 2}, [1, 0], CtrlInput(mouse=(1, 1))])
def test_messages_list_the_valid_buttons(action) -> None:
    with pytest.raises(ArgumentError, match=r"FORWARD \(KeyW\), LEFT \(ArrowLeft\), FIRE \(Space\)"):
        SCHEMA.encode(action, frames=1)


def test_held_names_what_a_vector_holds() -> None:
    assert SCHEMA.held(np.array([1, 0, 1])) == ("FORWARD", "FIRE")
