"""A bar chart of an ablation as a PNG, drawn with Pillow (the `play` extra has it)."""

import os
from pathlib import Path
from typing import Any

from yanrt.errors import UnsupportedError

_WIDTH, _ROW, _LEFT, _RIGHT, _TOP, _BOTTOM = 1100, 46, 190, 150, 84, 40
_INK, _SOFT, _GRID, _BASE, _BAR, _LATE = "#1c2330", "#667085", "#eef0f3", "#12956b", "#3563e9", "#d64545"


def write_chart(path: str | os.PathLike[str], result: dict[str, Any]) -> None:
    """One bar a variant of `yanrt.ablate.ablate`: median milliseconds a frame, with 10 % and 90 % as a line, and the
    time that a frame may take. UnsupportedError without Pillow."""
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError:
        raise UnsupportedError("the chart needs Pillow: pip install pillow (or yanrt[play])") from None
    rows = result["rows"]
    timed = [row for row in rows if "failure" not in row]
    image = Image.new("RGB", (_WIDTH, _TOP + _ROW * len(rows) + _BOTTOM), "white")
    draw = ImageDraw.Draw(image)
    fonts = {size: ImageFont.load_default(size) for size in (13, 15, 20)}
    deadline = result["deadline_ms_a_frame"]
    high = max(*(row["p90_ms_a_frame"] for row in timed), deadline) * 1.05

    def x(milliseconds: float) -> float:
        return float(_LEFT + (_WIDTH - _LEFT - _RIGHT) * milliseconds / high)

    draw.text((24, 18), f"{result['model']}: milliseconds a frame", _INK, fonts[20])
    where = f"{result['machine']['processor']}, {result['isa']}, {result['threads']} threads, {result['rounds']} rounds"
    draw.text((24, 48), where, _SOFT, fonts[13])
    bottom = _TOP + _ROW * len(rows)
    for tick in _ticks(high):
        draw.line((x(tick), _TOP - 6, x(tick), bottom), _GRID)
        draw.text((x(tick), bottom + 8), f"{tick:g}", _SOFT, fonts[13], anchor="ma")
    for index, row in enumerate(rows):
        middle = _TOP + _ROW * index + _ROW / 2
        draw.text((_LEFT - 12, middle), row["variant"], _INK, fonts[15], anchor="rm")
        if "failure" in row:
            draw.text((_LEFT + 6, middle), "not available", _SOFT, fonts[13], anchor="lm")
            continue
        p10, p50, p90 = (row[f"p{p}_ms_a_frame"] for p in (10, 50, 90))
        draw.rectangle((_LEFT, middle - 13, x(p50), middle + 13), _BASE if index == 0 else _BAR)
        draw.line((x(p10), middle, x(p90), middle), _INK, 2)
        label = f"{p50:.2f} ms" if index == 0 else f"{p50:.2f} ms   {row['ratio']:.2f}x"
        draw.text((max(x(p50), x(p90)) + 8, middle), label, _INK, fonts[15], anchor="lm")
    draw.line((x(deadline), _TOP - 6, x(deadline), bottom), _LATE, 2)
    draw.text((x(deadline), _TOP - 10), f"deadline {deadline:.1f}", _LATE, fonts[13], anchor="mb")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def _ticks(high: float) -> list[float]:
    """About five round numbers from 0 to `high`."""
    rough = high / 5
    power = 10.0 ** len(str(int(rough))) / 10 if rough >= 1 else 0.1
    step = next((power * m for m in (1, 2, 5, 10) if power * m >= rough), rough)
    return [step * i for i in range(int(high / step) + 1)]
