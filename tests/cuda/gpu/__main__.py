"""Checks the CUDA backend on a machine with a GPU: builds for it, runs every op and a world, measures, and prints one
table; the same as JSON in out/gpu-check.json. Exit status 1 if anything failed.

    make gpu-check                                             on the GPU machine; needs no package index
    python -m tests.cuda.gpu --device cuda-sim --limit 60 --steps 2    the rehearsal, in the simulator: a tiny world
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cuda.gpu import machine
from yanrt.cuda import find_cublaslt

STEPS = ("build", "ops", "world", "sanitizer", "speed")
SECONDS = 480  # of the whole on a GPU; the op cases and each tool of the sanitizer are cut off long before
MAY_LACK = {"int8"}  # variants of the ablation that no GPU build has
PAPER = machine.VENDOR / "paper.safetensors"  # Yan-Sim at 1080p with random weights, from `make gpu-pack`
TINY = machine.VENDOR / "tiny.safetensors"  # what the simulator can play


class Table:
    """Lines of the report, and what goes into the JSON."""

    def __init__(self) -> None:
        self.data: dict[str, Any] = {"machine": machine.describe()}
        self.failed = False

    def line(self, what: str, result: str, ok: bool = True) -> None:
        self.failed |= not ok
        print(f"{'ok  ' if ok else 'FAIL'} {what:<44} {result}", flush=True)


def check_ops(table: Table, options: argparse.Namespace) -> None:
    from tests.cuda.gpu import ops

    if not options.cublaslt:
        table.line("cuBLASLt", "not here: own kernels alone")
    results = ops.run(options.device, options.generations, options.limit, options.seconds, options.cublaslt)
    table.data["ops"] = {name: vars(result) for name, result in results.items()}
    for name, result in sorted(results.items()):
        errors = ", ".join(f"{precision} {worst:.1e}" for precision, worst in result.worst.items())
        text = f"{result.cases} cases, worst {errors}" if not result.failures else "; ".join(result.failures[:3])
        table.line(name, text, not result.failures)


def check_world(table: Table, options: argparse.Namespace) -> None:
    import yanrt
    from tests.cuda.gpu import world

    name = Path(options.package).stem
    for precision, limits in world.LIMITS.items():
        engines = [yanrt.Engine(options.package, device=d, precision=precision) for d in ("cpu", options.device)]
        worst = world.follows(*engines, options.steps)
        played = world.plays_as(*engines, options.steps)
        table.data.setdefault("world", {})[precision] = {**worst, "played": played}
        table.line(
            f"{name} {precision}, each of {options.steps} steps as the CPU's",
            f"latent {worst['latent']:.1e}, state {worst['state']:.1e} (limit {limits.relative:.0e}),"
            f" frames {worst['frames']:.0f} of 255 (limit {limits.decoded})",
            limits.hold(worst),
        )
        table.line(
            f"{name} {precision}, {options.steps} free steps beside the CPU",
            f"frames {played:.0f} of 255 (limit {limits.played})",
            played <= limits.played,
        )


def check_sanitizer(table: Table, options: argparse.Namespace) -> None:
    for tool in ("memcheck", "racecheck", "initcheck"):
        found = machine.sanitizer_findings(tool, options.device, limit=40)
        table.data.setdefault("sanitizer", {})[tool] = found
        table.line(f"compute-sanitizer {tool}", found, found in {"clean", "not here"})


def check_speed(table: Table, options: argparse.Namespace) -> None:
    from tests.cuda.gpu import world

    for package in [options.package, *options.also]:
        if not Path(package).exists() and package != options.package:
            table.line(f"{package}", "is not here; `make gpu-pack` makes it, carry it along", ok=False)
            continue
        result = world.ablation(package, options.device, options.rounds, options.cublaslt)
        table.data.setdefault("speed", {})[str(package)] = result
        for row in result["rows"]:
            what = f"{Path(package).stem}: {row['variant']}"
            if "failure" in row:
                table.line(what, f"not available: {row['failure']}", ok=row["variant"] in MAY_LACK)
                continue
            p10, p50, p90 = (row[f"p{p}_ms_a_frame"] for p in (10, 50, 90))
            table.line(what, f"{p50:.2f} ms a frame ({p10:.2f} to {p90:.2f}), {row['ratio']:.2f}x")


def check_build(table: Table, options: argparse.Namespace) -> None:
    if options.device == "cuda":
        machine.build()
        table.line("build", f"for {machine.architecture()}")


CHECKS: dict[str, Callable[[Table, argparse.Namespace], None]] = {
    "build": check_build,
    "ops": check_ops,
    "world": check_world,
    "sanitizer": check_sanitizer,
    "speed": check_speed,
}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="gpu-check", description=__doc__)
    parser.add_argument("--device", default="cuda", help="cuda, cuda:N, or cuda-sim for a rehearsal")
    parser.add_argument("--generations", nargs="+", default=["auto", "sm_80"], help="kernels to force on this chip")
    parser.add_argument("--cublaslt", default=find_cublaslt(), help="NVIDIA's library; used where it can be loaded")
    parser.add_argument("--package", help="the world to play (doom; a tiny one in the simulator)")
    parser.add_argument("--also", nargs="*", help="further packages for the speeds (on a GPU: the world of 1080p)")
    parser.add_argument(
        "--rounds", type=int, help="of the ablation, four steps a variant each (15; 1 in the simulator)"
    )
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--limit", type=int, default=0, help="so many op cases, at random (0: all)")
    parser.add_argument("--seconds", type=float, default=150, help="for the op cases")
    parser.add_argument("--only", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--json", type=Path, default=Path("out/gpu-check.json"))
    parser.add_argument(
        "--pack", action="store_true", help="fill build/vendor for a machine without an index, and stop"
    )
    options = parser.parse_args()
    options.cublaslt = machine.load_cublaslt(options.cublaslt)
    simulated = "sim" in options.device
    if options.also is None:
        options.also = [] if simulated else [str(PAPER)]
    options.rounds = options.rounds or (1 if simulated else 15)
    if options.package is None:
        options.package = str(machine.exported("tiny", TINY)) if simulated and not options.pack else "doom"
    return options


def main() -> int:
    options = parse()
    if options.pack:
        machine.pack(PAPER)
        return 0
    table = Table()
    for name, value in table.data["machine"].items():
        table.line(name, value)
    for step in options.only:
        begin = time.monotonic()
        try:
            CHECKS[step](table, options)
        except Exception as error:  # one step's failure must not hide what the others find
            table.line(step, f"{type(error).__name__}: {error}", ok=False)
        table.data.setdefault("seconds", {})[step] = round(time.monotonic() - begin, 1)
    taken = sum(table.data["seconds"].values())
    table.line("time", f"{taken:.0f} s (limit {SECONDS} on a GPU)", taken < SECONDS or "sim" in options.device)
    table.data["passed"] = not table.failed
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(table.data, indent=2, default=str) + "\n")
    print(f"{'FAILED' if table.failed else 'passed'}; {options.json}")
    return int(table.failed)


if __name__ == "__main__":
    raise SystemExit(main())
