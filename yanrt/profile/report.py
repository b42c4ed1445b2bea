"""A profile as one self-contained HTML file: report.html with the numbers put in. It loads nothing from anywhere."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from yanrt.profile.record import Profile, op_bounds

_TEMPLATE = Path(__file__).with_name("report.html")
_PLACEHOLDER = "/*PROFILE*/null"


def report_data(result: Profile) -> dict[str, Any]:
    """What the page draws: the profile, and the timeline of the recorded step nearest to the median."""
    return {**result.to_dict(), "timeline": _timeline(result)}


def _timeline(result: Profile) -> dict[str, Any]:
    """Per phase a list of [worker, op, begin, duration], in microseconds from the beginning of the step."""
    totals = np.sum([phase.step_ms for phase in result.phases], axis=0)
    run = int(np.argsort(totals)[len(totals) // 2])
    origin = int(op_bounds(result.phases[0].spans)[0][run].min())
    workers = int(result.phases[0].spans.shape[1])
    bars = {
        phase.name: [
            [worker, op, round((begin - origin) / 1e3, 2), round((end - begin) / 1e3, 2)]
            for worker in range(workers)
            for op, (begin, end) in enumerate(phase.spans[run, worker].tolist())
            if begin
        ]
        for phase in result.phases
    }
    return {"step": run, "workers": workers, "bars": bars}


def write_report(path: str | os.PathLike[str], result: Profile) -> None:
    """Writes the page, making the folder where needed."""
    page = _TEMPLATE.read_text(encoding="utf-8")
    data = json.dumps(report_data(result)).replace("</", "<\\/")  # so that no name in it can end the script
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(page.replace(_PLACEHOLDER, data), encoding="utf-8")
