"""yanrt beside the runtimes that people use today: the same exported models, inputs and threads, in one run.

    python benchmarks/bench_peers.py [--models step,dit-s] [--threads 1,2] [--rounds 15] [--json out/peers.json]

docs/benchmarks.md says what is measured and how. Needs the `bench` extra.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.peers import models  # noqa: E402
from benchmarks.peers.report import rows, table  # noqa: E402
from benchmarks.peers.rounds import Entry, commands, measure  # noqa: E402
from benchmarks.peers.runtimes import RUNTIMES  # noqa: E402
from yanrt import _C  # noqa: E402
from yanrt.bench import machine, write_json  # noqa: E402
from yanrt.package import Package  # noqa: E402


def main(argv: list[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    names = arguments.models or [*models.DEFAULT, *(models.SCALING if arguments.scaling else ())]
    result: dict[str, Any] = {"machine": machine(), "ceiling": {}, "rows": []}
    began = time.perf_counter()
    interrupted = False
    for name in names:
        model = models.build(name, arguments.packages)
        flops = program_flops(model)
        print(f"{name}: {flops / 1e9:.2f} GFLOP", flush=True)
        ceilings = [_ceilings(arguments.threads)]
        entries = [Entry(*command) for command in commands(arguments.threads, arguments.runtimes)]
        try:
            measure(model, entries, arguments.rounds, arguments.budget, arguments.packages)
        except KeyboardInterrupt:
            interrupted = True
        ceilings.append(_ceilings(arguments.threads))
        best = {threads: _best([ceiling[threads] for ceiling in ceilings]) for threads in arguments.threads}
        result["ceiling"] = {
            str(threads): _best([best[threads], *filter(None, [result["ceiling"].get(str(threads))])])
            for threads in arguments.threads
        }
        added = rows(name, entries, flops, best)
        result["rows"] += added
        result |= {"seconds": round(time.perf_counter() - began), "interrupted": interrupted}
        print(f"{table(added)}\n  {result['seconds']} s so far", flush=True)
        if arguments.json:  # after every model: a long run may be broken off
            write_json(arguments.json, result)
        if interrupted:
            return 130
    return 0


def program_flops(model: models.BenchModel) -> float:
    """Operations of one call, a multiply-add counted as two; from the runtime's plan in fp32."""
    engine = _C.Engine(Package.open(model.package).native, count_only=True)
    return float(sum(op["flops"] for op in engine.ops(model.program)))


def _ceilings(threads: list[int]) -> dict[int, dict[str, float]]:
    return {count: _C.measure_ceiling(count) for count in threads}


def _best(ceilings: list[dict[str, float]]) -> dict[str, float]:
    return {key: max(ceiling[key] for ceiling in ceilings) for key in ceilings[0]}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=_names(models.NAMES), metavar="A,B", help=", ".join(models.NAMES))
    parser.add_argument("--scaling", action="store_true", help="also how cost grows: tokens x4, width x2, ring x4")
    parser.add_argument("--runtimes", type=_names(tuple(RUNTIMES)), metavar="A,B", help=", ".join(RUNTIMES))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=lambda text: [int(n) for n in text.split(",")], default=[2], metavar="1,2")
    parser.add_argument("--budget", type=float, default=30.0, metavar="S", help="seconds a row may take (30)")
    parser.add_argument("--packages", type=Path, default=ROOT / "build/bench", help="folder of the models' packages")
    parser.add_argument("--json", metavar="FILE")
    return parser


def _names(known: tuple[str, ...]) -> Any:
    def parse(text: str) -> list[str]:
        names = text.split(",")
        unknown = [name for name in names if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; known are {', '.join(known)}")
        return names

    return parse


if __name__ == "__main__":
    sys.exit(main())
