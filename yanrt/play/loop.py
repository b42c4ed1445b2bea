"""The loops of `yanrt play`: a script of actions, and a player at the keyboard."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from yanrt.bench import StepTimes
from yanrt.play.video import VideoWriter
from yanrt.play.window import Window
from yanrt.session import Session


def play_script(
    session: Session,
    actions: Iterable[NDArray[np.float32]],
    video: VideoWriter | None = None,
    window: Window | None = None,
) -> StepTimes:
    """Steps through `actions` (one `[T, A]` a step); writes and shows the frames. Ends early if the window closes."""
    times = StepTimes(session)
    for action in actions:
        frames, info = session.step(action)
        times.add(info)
        if video is not None:
            video.write(frames)
        if window is not None:
            window.show(frames)
            window.held()  # lets the window answer events
            if not window.open:
                break
    return times


def play_keyboard(session: Session, window: Window, video: VideoWriter | None = None) -> StepTimes:
    """Plays until the window closes. The next frames are computed, without the GIL, while the last ones are shown."""
    times = StepTimes(session)
    with ThreadPoolExecutor(1) as worker:
        pending = worker.submit(session.step, window.held())
        while window.open:
            frames, info = pending.result()
            pending = worker.submit(session.step, window.held())
            times.add(info)
            if video is not None:
                video.write(frames)
            window.show(frames)
        pending.result()
    return times
