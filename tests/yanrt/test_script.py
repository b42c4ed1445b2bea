from pathlib import Path

import numpy as np
import pytest

from yanrt.action import ActionSchema, Button
from yanrt.errors import ArgumentError
from yanrt.play.script import Hold, by_step, parse_actions, read_actions

SCHEMA = ActionSchema([Button("FORWARD", "KeyW"), Button("LEFT", "ArrowLeft")])


def test_lines_comments_and_blanks() -> None:
    text = "# a walk\n12\n\n 3 FORWARD LEFT  # turning\n1\tKeyW\n"
    assert parse_actions(text) == [Hold(12, ()), Hold(3, ("FORWARD", "LEFT")), Hold(1, ("KeyW",))]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "walk.actions holds no actions"),
        ("# nothing\n\n", "walk.actions holds no actions"),
        ("3 FORWARD\nFORWARD", "walk.actions, line 2: .*'FORWARD'"),
        ("0 FORWARD", "line 1: .*'0'"),
        ("-3", "line 1: .*'-3'"),
        ("1.5", "line 1: .*'1.5'"),
    ],
)
def test_a_bad_line_is_named(text: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        parse_actions(text, "walk.actions")


def test_a_file_becomes_one_vector_a_frame(tmp_path: Path) -> None:
    path = tmp_path / "walk.actions"
    path.write_text("1\n2 FORWARD\n1 ArrowLeft KeyW\n")
    assert read_actions(path, SCHEMA).tolist() == [[0, 0], [1, 0], [1, 0], [1, 1]]


def test_unknown_buttons_and_missing_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "walk.actions"
    path.write_text("1 JUMP\n")
    with pytest.raises(ArgumentError, match=r"'JUMP'; valid are FORWARD"):
        read_actions(path, SCHEMA)
    with pytest.raises(ArgumentError, match=r"missing\.actions"):
        read_actions(tmp_path / "missing.actions", SCHEMA)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ArgumentError, match=r"walk\.actions"):
        read_actions(path, SCHEMA)


@pytest.mark.parametrize(("frames", "expected"), [(2, [0, 1]), (3, [0, 1, 2, 0]), (7, [0, 1, 2, 0, 1, 2, 0, 1])])
def test_by_step_repeats_from_the_beginning(frames: int, expected: list[int]) -> None:
    actions = np.arange(3, dtype=np.float32)[:, None]
    steps = by_step(actions, frames, temporal_factor=2)
    assert [step.shape for step in steps] == [(2, 1)] * (len(expected) // 2)
    assert np.concatenate(steps)[:, 0].tolist() == expected
