"""A window with a keyboard: pygame, only where there is a screen."""

import os
import sys
import time
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from yanrt.action import ActionSchema
from yanrt.errors import ArgumentError, UnsupportedError

# pygame's names of the keys whose W3C code is not its letter or digit.
_KEYS = {
    "ArrowUp": "up", "ArrowDown": "down", "ArrowLeft": "left", "ArrowRight": "right",
    "Space": "space", "Enter": "return", "Tab": "tab", "Escape": "escape", "Backspace": "backspace",
    "ShiftLeft": "left shift", "ShiftRight": "right shift", "ControlLeft": "left ctrl", "ControlRight": "right ctrl",
    "AltLeft": "left alt", "AltRight": "right alt", "Comma": ",", "Period": ".", "Slash": "/", "Semicolon": ";",
    "Minus": "-", "Equal": "=", "BracketLeft": "[", "BracketRight": "]",
}  # fmt: skip


def screen_available() -> bool:
    """Whether a window can be opened here."""
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


def pygame_key_name(code: str) -> str:
    """pygame's name of a W3C `event.code`: "KeyW" is "w". Raises ArgumentError for a code without a key there."""
    if code in _KEYS:
        return _KEYS[code]
    for prefix in ("Key", "Digit"):
        if code.startswith(prefix) and len(code) == len(prefix) + 1:
            return code[-1].lower()
    raise ArgumentError(
        f"key code {code!r} has no key in pygame; known are KeyA-KeyZ, Digit0-Digit9, {', '.join(_KEYS)}"
    )


class Window:
    """Shows frames paced to `fps` and reads which of the world's buttons are held."""

    def __init__(self, schema: ActionSchema, height: int, width: int, fps: float, title: str) -> None:
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        try:
            import pygame
        except ImportError:
            raise UnsupportedError("the window needs pygame; install it with `pip install yanrt[play]`") from None
        self._pygame = pygame
        self._keys = {button.name: pygame_key_name(button.key) for button in schema.buttons}
        pygame.display.init()
        scale = max(1, 960 // width)
        self._screen = pygame.display.set_mode((width * scale, height * scale), pygame.RESIZABLE)
        pygame.display.set_caption(title)
        self._codes = {name: pygame.key.key_code(key) for name, key in self._keys.items()}
        self._period = 1 / fps
        self._due = 0.0  # when the next frame is to be shown, on time.perf_counter's clock
        self.open = True

    def held(self) -> set[str]:
        """Names of the buttons held right now. Closing the window or pressing Escape sets `open` to False."""
        pygame = self._pygame
        for event in pygame.event.get():
            if event.type == pygame.QUIT or (event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE):
                self.open = False
        pressed = pygame.key.get_pressed()
        return {name for name, code in self._codes.items() if pressed[code]}

    def show(self, frames: NDArray[np.uint8]) -> None:
        """Shows frames uint8 `[T, H, W, 3]`, each at its time; returns when the last one is on the screen."""
        pygame = self._pygame
        for frame in frames:
            now = time.perf_counter()
            # After a stall the clock starts anew: late frames are not made up for by a burst.
            self._due = max(self._due, now - self._period)
            time.sleep(max(0.0, self._due - now))
            surface = pygame.image.frombuffer(frame.tobytes(), frame.shape[1::-1], "RGB")
            pygame.transform.scale(surface.convert(self._screen), self._screen.get_size(), self._screen)
            pygame.display.flip()
            self._due += self._period

    def close(self) -> None:
        self._pygame.display.quit()

    def __enter__(self) -> "Window":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
