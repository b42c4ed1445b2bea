"""`yanrt bench --ablate`: what the KV cache, the shift window, quantisation and the static plan give, each on its own.

Yan's third check (arXiv 2508.08601), on any packaged world. Every variant changes one thing of the first row and plays
the same actions; the variants take turns, so that a busy moment meets all of them alike.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from yanrt.bench import machine
from yanrt.engine import Engine
from yanrt.errors import Error
from yanrt.package import Package
from yanrt.session import Session

_STEPS_A_ROUND = 4


@dataclass(frozen=True)
class Variant:
    """One configuration. `schedule` is a package's; "recompute" keeps latents instead of keys and values."""

    name: str
    what: str
    schedule: str = "shift"
    precision: str = "bf16"
    kv: str = "auto"
    gemm: str = "own"
    op_by_op: bool = False


VARIANTS = (
    Variant("all", "KV cache, shift window, bf16, static plan"),
    Variant("no KV cache", "the history's keys and values are computed again in every step", schedule="recompute"),
    Variant("no shift window", "a latent is denoised to the end before the next begins", schedule="sequential"),
    Variant("fp32", "no quantisation", precision="fp32"),
    Variant("int8", "weights and activations of matrix products in int8", precision="int8"),
    Variant("fp8", "weights in E4M3; on a GPU what linear layers read, too", precision="fp8"),
    Variant("fp8 KV", "keys and values of the history in E4M3, the rest in bf16", kv="fp8"),
    Variant("no static plan", "CPU: every op allocates and wakes the threads; GPU: no graph", op_by_op=True),
)


def ablate(
    package: Package,
    threads: int | None = None,
    isa: str = "auto",
    rounds: int = 15,
    device: str = "cpu",
    variants: tuple[Variant, ...] = VARIANTS,
) -> dict[str, Any]:
    """Milliseconds a frame of every variant; `ratio` is to the first one. A variant that the package or the processor
    lacks has `failure` instead of times."""
    rows: list[dict[str, Any]] = []
    playing: list[tuple[dict[str, Any], Session, list[float]]] = []
    for variant in variants:
        row: dict[str, Any] = {
            "variant": variant.name,
            "what": variant.what,
            "schedule": variant.schedule,
            "precision": variant.precision,
            "kv": variant.kv,
            "gemm": variant.gemm,
            "static_plan": not variant.op_by_op,
        }
        rows.append(row)
        try:
            options = {key: row[key] for key in ("precision", "kv", "gemm")}
            engine = Engine(package, device, threads=threads, isa=isa, **options, op_by_op=variant.op_by_op)
            session = Session(engine, schedule=variant.schedule)
            session.reset()
        except Error as error:
            row["failure"] = str(error)
            continue
        playing.append((row, session, []))
    for number in range(rounds):
        for _, session, times in playing[number % len(playing) :] + playing[: number % len(playing)]:
            times.append(_round(session))
    for row, session, times in playing:
        row |= {f"p{p}_ms_a_frame": round(float(np.percentile(times, p)), 4) for p in (10, 50, 90)}
        row["delay_frames"] = session.delay * package.temporal_factor
        row["memory"] = session.engine.memory.to_dict()
        session.close()
    base = rows[0]["p50_ms_a_frame"]
    for row, _, _ in playing:
        row["ratio"] = round(row["p50_ms_a_frame"] / base, 3)
    info = playing[0][1].engine.info
    return {
        "model": package.name,
        "machine": machine(),
        "device": info["device"],
        "threads": info["threads"],
        "isa": info["isa"],
        "deadline_ms_a_frame": 1e3 / package.fps,
        "rounds": rounds,
        "rows": rows,
    }


def _round(session: Session) -> float:
    """Median milliseconds a frame of a few steps; the first one wakes the caches and does not count."""
    names = session.package.actions.names
    session.step()
    held = [{names[i % len(names)]} if names else None for i in range(_STEPS_A_ROUND)]
    totals = [session.step(action)[1]["timing"]["total"] for action in held]
    return float(np.median(totals)) / session.package.temporal_factor


def table(result: dict[str, Any]) -> str:
    """The rows as text; `gives` is how many times longer a frame takes without it (under 1: shorter)."""
    where = result["machine"]["processor"] if result["device"] == "cpu" else result["device"]
    lines = [
        f"{result['model']} on {where} ({result['isa']}, {result['threads']} threads);"
        f" a frame may take {result['deadline_ms_a_frame']:.1f} ms",
        f"  {'variant':<17}{'ms/frame':>9}{'p10':>8}{'p90':>8}{'ratio':>8}{'delay':>7}  what differs",
    ]
    for row in result["rows"]:
        if "failure" in row:
            lines.append(f"  {row['variant']:<17}  failed: {row['failure']}")
            continue
        p10, p50, p90 = (row[f"p{p}_ms_a_frame"] for p in (10, 50, 90))
        lines.append(
            f"  {row['variant']:<17}{p50:>9.2f}{p10:>8.2f}{p90:>8.2f}{row['ratio']:>7.2f}x{row['delay_frames']:>7}"
            f"  {row['what']}"
        )
    return "\n".join(lines)
