"""What a profiler costs a step: attached, detached, and in a build that has none.

    python benchmarks/profiler_cost.py [--without CHECKOUT] [--rounds 60] [--steps 20] [--threads 1] [--json FILE]

Each arm is a process of its own; they take turns, a few steps each. "detached again" does what "detached" does: how far
the two are apart is what the measurement cannot tell. CHECKOUT is another checkout, built, whose `CpuBoundProgram::run`
passes no profiler and whose workers only `walk`.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]


def main(argv: list[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    arms = {"detached": (ROOT, False), "detached again": (ROOT, False), "attached": (ROOT, True)}
    if arguments.without:
        arms["no profiler in the build"] = (arguments.without.resolve(), False)
    workers = {name: _start(*arm, arguments) for name, arm in arms.items()}
    times: dict[str, list[list[float]]] = {name: [] for name in arms}
    order = list(arms)
    for number in range(arguments.rounds + 1):
        for name in order[number % len(order) :] + order[: number % len(order)]:
            answer = _ask(workers[name], arguments.steps)
            if number:  # the first round warms up
                times[name].append(answer)
    for worker in workers.values():
        worker.communicate()
    result = _summary(times)
    print(f"  {'arm':<28}{'wall ms':>10}{'CPU ms':>10}{'wall':>10}{'CPU':>10}  of detached (95 %)")
    for name, row in result.items():
        changes = f"{row['wall_change']:>+10.2%}{row['cpu_change']:>+10.2%}"
        errors = f"+-{row['wall_error']:.2%}, {row['cpu_error']:.2%}"
        print(f"  {name:<28}{row['wall_ms']:>10.3f}{row['cpu_ms']:>10.3f}{changes}  {errors}")
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(result, indent=2) + "\n")
    return 0


def _summary(times: dict[str, list[list[float]]]) -> dict[str, dict[str, float]]:
    """Medians over the rounds, and of the changes against "detached" round by round; the error is twice the standard
    error of a median."""
    result = {}
    base = np.array(times["detached"])
    for name, rounds in times.items():
        values = np.array(rounds)
        change = values / base - 1
        error = 2 * 1.2533 * change.std(0) / np.sqrt(len(change))
        wall, cpu = np.median(values, 0)
        (wall_change, cpu_change), (wall_error, cpu_error) = np.median(change, 0), error
        result[name] = {
            "wall_ms": float(wall),
            "cpu_ms": float(cpu),
            "wall_change": float(wall_change),
            "cpu_change": float(cpu_change),
            "wall_error": float(wall_error),
            "cpu_error": float(cpu_error),
        }
    return result


def _start(root: Path, attached: bool, arguments: argparse.Namespace) -> "subprocess.Popen[str]":
    command = [sys.executable, __file__, "--serve", arguments.model, "--threads", str(arguments.threads)]
    command += ["--rounds", str(arguments.rounds), "--steps", str(arguments.steps)]
    return subprocess.Popen(
        [*command, *(["--attached"] if attached else []), "--root", str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _ask(worker: "subprocess.Popen[str]", steps: int) -> list[float]:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(f"{steps}\n")
    worker.stdin.flush()
    answer: list[float] = json.loads(worker.stdout.readline())
    return answer


def _serve(arguments: argparse.Namespace) -> int:
    """Answers every number of steps with the medians of their wall and processor milliseconds."""
    sys.path.insert(0, str(arguments.root))
    from yanrt import _C
    from yanrt.session import Session

    session = Session(arguments.model, threads=arguments.threads)
    frames, _ = session.reset(0)
    phases = session.package.manifest["schedules"][session.schedule]["on_step"]
    programs = [phase["program"] for phase in phases]
    room = (arguments.rounds + 1) * arguments.steps
    recorder = _C.Profile(session.engine.native, programs, room) if arguments.attached else None
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            wall, cpu = time.perf_counter(), time.process_time()
            session.step(out=frames)
            times.append([(time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3])
        print(json.dumps(np.median(times, 0).tolist()), flush=True)
    if recorder:
        recorder.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="doom", help="packaged world or path (doom)")
    parser.add_argument("--without", type=Path, metavar="CHECKOUT")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--steps", type=int, default=20, help="of an arm in a round")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--attached", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--root", type=Path, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    options = _parser().parse_args()
    sys.exit(_serve(options) if options.serve else main())
