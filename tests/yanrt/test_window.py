"""The window, on SDL's driver without a screen."""

import time

import numpy as np
import pytest

from yanrt.action import ActionSchema, Button
from yanrt.errors import ArgumentError
from yanrt.play.loop import play_keyboard, play_script
from yanrt.play.window import Window, pygame_key_name, screen_available
from yanrt.session import Session

SCHEMA = ActionSchema([Button("BRIGHTER", "KeyW"), Button("DARKER", "ArrowDown"), Button("FIRE", "Space")])


@pytest.fixture(autouse=True)
def no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pygame")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


@pytest.fixture
def window():
    with Window(SCHEMA, height=4, width=6, fps=100, title="test") as window:
        yield window


def press(window: Window, *keys: int, event: int | None = None) -> None:
    import pygame

    for key in keys:
        pygame.event.post(pygame.event.Event(event or pygame.KEYDOWN, key=key))


def test_frames_are_paced_and_shown(window: Window) -> None:
    import pygame

    window.show(np.zeros((1, 4, 6, 3), np.uint8))
    began = time.perf_counter()
    window.show(np.full((10, 4, 6, 3), (10, 200, 30), np.uint8))
    assert time.perf_counter() - began >= 0.08  # nine waits of 10 ms, however busy the machine is
    assert tuple(pygame.display.get_surface().get_at((0, 0)))[:3] == (10, 200, 30)


def test_escape_closes(window: Window) -> None:
    import pygame

    assert window.held() == set()
    assert window.open
    press(window, pygame.K_ESCAPE)
    window.held()
    assert not window.open


def test_playing_ends_with_the_window(window: Window, session: Session) -> None:
    import pygame

    session.reset()
    press(window, pygame.K_ESCAPE)
    assert len(play_script(session, [None] * 5, window=window)) == 1
    window.open = True
    shown = []
    show = window.show

    def show_and_leave(frames: np.ndarray) -> None:
        show(frames)
        shown.append(frames)
        if len(shown) == 3:
            press(window, pygame.K_ESCAPE)

    window.show = show_and_leave  # type: ignore[method-assign]
    times = play_keyboard(session, window)
    assert 3 <= len(times) <= 4


@pytest.mark.parametrize(
    ("code", "name"),
    [("KeyW", "w"), ("Digit7", "7"), ("ArrowLeft", "left"), ("Space", "space"), ("ShiftLeft", "left shift")],
)
def test_w3c_codes_have_keys(code: str, name: str) -> None:
    import pygame

    pygame.display.init()
    assert pygame_key_name(code) == name
    assert pygame.key.key_code(name) > 0


@pytest.mark.parametrize("code", ["KeyWW", "Digit", "MouseLeft", ""])
def test_unknown_codes_are_named(code: str) -> None:
    with pytest.raises(ArgumentError, match=f"'{code}'"):
        pygame_key_name(code)


def test_screens_are_found_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not screen_available()
    monkeypatch.setenv("DISPLAY", ":0")
    assert screen_available()
