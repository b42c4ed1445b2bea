"""Finds a walk through a world that shows much of it, and writes it as an action file for `yanrt play --actions`.

    python examples/scout.py [doom] [--seed 4] [--frames 480] [--out tour.actions]

At every turn it tries each way to go on from a snapshot and keeps the one whose views have most in them and are least
like those before: a player who can take steps back.
"""

import argparse
from pathlib import Path

import numpy as np

import yanrt

WAYS = (
    {"MOVE_FORWARD"},
    {"MOVE_FORWARD", "TURN_LEFT"},
    {"MOVE_FORWARD", "TURN_RIGHT"},
    {"TURN_LEFT"},
    {"TURN_RIGHT"},
    {"MOVE_BACKWARD"},
)
HELD, AHEAD = 6, 14  # steps that a way is kept for, and looked ahead
NOVELTY = 0.3  # what a new view counts beside a rich one
EDGE, NEW = 10.0, 40.0  # of 255: an edge that is brighter, or a view that is newer, counts no more


def thumbnail(frame: np.ndarray) -> np.ndarray:
    """Means of blocks, float32 `[10,16,3]`: what is left of a picture without its textures."""
    height, width = frame.shape[0] // 10, frame.shape[1] // 16
    blocks = frame[: height * 10, : width * 16].reshape(10, height, 16, width, 3)
    return blocks.mean((1, 3), dtype=np.float32)


def worth(views: list[np.ndarray], seen: list[np.ndarray]) -> float:
    """How many edges there are in `views`, and how far they are from all that was `seen`."""
    rich = np.mean([np.abs(np.diff(view, axis=axis)).clip(max=EDGE).mean() for view in views for axis in (0, 1)])
    new = np.mean([min((np.abs(view - old).mean() for old in seen), default=0.0) for view in views])
    return float(rich + NOVELTY * min(new, NEW))


def look(session: yanrt.Session, way: set[str], steps: int) -> list[np.ndarray]:
    """Views of so many steps, the last frame of each."""
    return [thumbnail(session.step(way)[0][-1]) for _ in range(steps)]


def scout(session: yanrt.Session, seed: int, steps: int) -> tuple[list[set[str]], float]:
    """The way of every stretch of HELD steps, and the mean worth of what they showed."""
    session.reset(seed)
    ways: list[set[str]] = []
    seen: list[np.ndarray] = []
    shown = []
    while len(ways) * HELD < steps:
        here = session.snapshot()
        found = []
        for way in WAYS:
            found.append(worth(look(session, way, AHEAD), seen))
            session.restore(here)
        best = int(np.argmax(found))
        views = look(session, WAYS[best], HELD)
        shown.append(worth(views, seen))
        seen += views[::3]
        ways.append(WAYS[best])
    return ways, float(np.mean(shown))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("world", nargs="?", default="doom")
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--frames", type=int, default=480)
    parser.add_argument("--out", type=Path, default=Path("tour.actions"))
    arguments = parser.parse_args()
    with yanrt.Session(arguments.world) as session:
        each = session.package.temporal_factor
        ways, value = scout(session, arguments.seed, arguments.frames // each)
    lines = [f"{HELD * each} {' '.join(sorted(way))}" for way in ways]
    arguments.out.write_text(f"# seed {arguments.seed}, found by examples/scout.py\n" + "\n".join(lines) + "\n")
    print(f"{arguments.out}: {len(ways) * HELD * each} frames, worth {value:.1f}")


if __name__ == "__main__":
    main()
