"""Rows and tables of bench_peers.py."""

import math
from typing import Any

import numpy as np

from .rounds import Entry

# The ceiling that bounds a precision.
_UNIT = {"fp32": "f32_products", "bf16": "bf16", "fp8": "bf16", "int8": "int8"}


def rows(model: str, entries: list[Entry], flops: float, ceilings: dict[int, dict[str, float]]) -> list[dict[str, Any]]:
    """One row an entry. A failed one has `failure` and null times; times are milliseconds."""
    result: list[dict[str, Any]] = []
    for entry in entries:
        row: dict[str, Any] = {
            "model": model,
            "runtime": entry.runtime,
            "precision": entry.precision,
            "threads": entry.threads,
            "median_ms": None,
            "p10_ms": None,
            "p90_ms": None,
            "gflops": None,
            "rel_error": None if math.isnan(entry.rel_error) else entry.rel_error,
        }
        if entry.times_ms and not entry.failure:
            p10, median, p90 = (float(np.percentile(entry.times_ms, p)) for p in (10, 50, 90))
            row |= {"median_ms": median, "p10_ms": p10, "p90_ms": p90, "gflops": flops / median / 1e6}
            peak = ceilings[entry.threads][_UNIT[entry.precision]]
            row |= {"ceiling_share": flops / median * 1e3 / peak, "copy_ms": entry.copy_ms}
            row |= {"rounds": len(entry.times_ms), "calls_a_round": entry.calls, "prepare_s": entry.prepare_s}
        else:
            row["failure"] = entry.failure or "no round was finished"
        result.append(row)
    return result


def table(rows: list[dict[str, Any]]) -> str:
    """The rows of one model as text; `x` is how many times faster yanrt is in the same precision and threads."""
    ours = {
        (row["precision"], row["threads"]): row["median_ms"]
        for row in rows
        if row["runtime"] == "yanrt" and row["median_ms"]
    }
    lines = [
        f"  {'runtime':<14}{'precision':<10}{'thr':>4}{'median':>10}{'p10':>9}{'p90':>9}  ms"
        f"{'copies':>8}{'GFLOP/s':>9}{'ceiling':>9}{'error':>10}{'x':>7}"
    ]
    for row in rows:
        head = f"  {row['runtime']:<14}{row['precision']:<10}{row['threads']:>4}"
        if row["median_ms"] is None:
            lines.append(f"{head}  failed: {row['failure']}")
            continue
        mine = ours.get((row["precision"], row["threads"]))
        ratio = f"{row['median_ms'] / mine:>7.2f}" if mine else f"{'':>7}"
        lines.append(
            f"{head}{row['median_ms']:>10.2f}{row['p10_ms']:>9.2f}{row['p90_ms']:>9.2f}    {row['copy_ms']:>8.2f}"
            f"{row['gflops']:>9.1f}{row['ceiling_share']:>9.0%}{row['rel_error']:>10.1e}{ratio}"
        )
    return "\n".join(lines)
