"""Pictures of a curation: what each filter removed, and histograms before and after balancing."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import from_numpy

from ..eval.sheets import sheet
from .episode import Episode

_ROW, _BAR, _GAP, _TOP = 120, 8, 26, 24
_INK, _BEFORE, _AFTER = "#1c2330", "#c3c8d1", "#3563e9"


def example_sheet(places: list[tuple[Episode, int]], columns: int = 6) -> np.ndarray:
    """Frames at (episode, frame), `columns` a row."""
    frames = np.concatenate([episode.frames(frame, frame + 1) for episode, frame in places])
    return sheet([from_numpy(frames[place : place + columns]) for place in range(0, len(frames), columns)])


def histogram_chart(before: dict[str, list[float]], after: dict[str, list[float]]) -> Image.Image:
    """One row a property: shares of its bins before (grey) and after (blue), the largest first."""
    bars = max(len(shares) for shares in before.values())
    image = Image.new("RGB", (2 * _GAP + bars * (2 * _BAR + 4), len(before) * (_ROW + _TOP + _GAP)), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(14)
    for row, name in enumerate(before):
        floor = (row + 1) * (_ROW + _TOP + _GAP) - _GAP // 2
        high = max(*before[name], *after[name])
        draw.text((_GAP, floor - _ROW - _TOP), f"{name}: recorded and drawn, up to {high:.1%}", fill=_INK, font=font)
        for rank, place in enumerate(np.argsort(-np.array(before[name]), kind="stable")):
            for side, (shares, colour) in enumerate(((before[name], _BEFORE), (after[name], _AFTER))):
                x = _GAP + rank * (2 * _BAR + 4) + side * _BAR
                draw.rectangle((x, floor - _ROW * shares[place] / high, x + _BAR - 1, floor), fill=colour)
    return image
