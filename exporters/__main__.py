"""`python -m exporters sim | untrained | compare | eval | coverage | dump | ops`: from checkpoints to packages."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import torch

from python_train.eval.command import add_arguments, config_of, write
from yanrt import _C
from yanrt.package import Package

from .quant import ACTIVATIONS, STORES


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m exporters", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    sim = commands.add_parser("sim", help="a simulator checkpoint -> a package")
    sim.add_argument("checkpoint", help="folder of the run, or its model.safetensors")
    sim.add_argument("-o", "--out", required=True, help="the package to write")
    sim.add_argument("--weights", choices=STORES, default="fp8")
    sim.add_argument("--batch", type=int, default=1, help="worlds a session plays at once")
    sim.add_argument(
        "--calibrate", type=int, default=0, metavar="LATENTS", help="scales from so much play; 0: plain ones"
    )
    sim.add_argument("--activations", choices=ACTIVATIONS, default="dynamic", help="static: scales from --calibrate")
    sim.add_argument("--dump", type=Path, help="folder for text dumps of every program after every pass")
    untrained = commands.add_parser("untrained", help="a configuration with random weights -> a package to time")
    untrained.add_argument("config", help="a run of python_train/configs, such as paper")
    untrained.add_argument("-o", "--out", required=True, help="the package to write")
    untrained.add_argument("--weights", choices=STORES, default="fp8")
    compare = commands.add_parser("compare", help="a package against its checkpoint, step by step")
    compare.add_argument("package")
    compare.add_argument("checkpoint")
    compare.add_argument("--steps", type=int, default=64)
    compare.add_argument("--seed", type=int, default=0)
    compare.add_argument("--json", type=Path, help="where to write the error of every step")
    evaluate = commands.add_parser("eval", help="measure a package on held-out data, as the runtime plays it; JSON")
    evaluate.add_argument("package")
    evaluate.add_argument("--precisions", default="fp8", help="all measures at the first, rollouts at the others too")
    evaluate.add_argument("--costs-ahead", type=int, default=64, help="latents of the other precisions' rollouts")
    evaluate.add_argument("--threads", type=int, default=1)
    add_arguments(evaluate, plays=20)
    dump = commands.add_parser("dump", help="the programs of a package as text")
    dump.add_argument("package")
    coverage = commands.add_parser("coverage", help="networks of diffusers and transformers against PyTorch")
    coverage.add_argument("networks", nargs="*", help="names; all, if left out")
    coverage.add_argument("--part", default="1/1", help="K/N: every N-th network, from the K-th on")
    coverage.add_argument("--threads", type=int, default=1)
    coverage.add_argument("--json", type=Path, help="where to write the table as data")
    ops = commands.add_parser("ops", help="the table of ops")
    ops.add_argument("--markdown", action="store_true", help="docs/supported_ops.md: the torch ops, too")
    return parser


def _sim(arguments: argparse.Namespace) -> int:
    from .targets.sim import export_sim

    export_sim(
        arguments.checkpoint,
        arguments.out,
        arguments.weights,
        arguments.batch,
        arguments.dump,
        arguments.calibrate,
        arguments.activations,
    )
    print(f"{arguments.out}: {Path(arguments.out).stat().st_size / 2**20:.1f} MiB")
    return 0


def _untrained(arguments: argparse.Namespace) -> int:
    from .targets.untrained import export_untrained

    export_untrained(arguments.config, arguments.out, arguments.weights)
    print(f"{arguments.out}: {Path(arguments.out).stat().st_size / 2**20:.1f} MiB")
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    from .compare import compare

    results = compare(arguments.package, arguments.checkpoint, arguments.steps, arguments.seed)
    for result in results:
        print(result.summary())
        pairs = zip(result.steps, result.steps_original, strict=True)
        for step, (error, original) in enumerate(pairs):
            print(f"  step {step:3}: {error:.2e}   against the original weights {original:.2e}")
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(result) for result in results], indent=1))
    return 0 if all(result.ok for result in results) else 1


def _eval(arguments: argparse.Namespace) -> int:
    from .evaluate import evaluate_package, write_walk

    torch.set_num_threads(arguments.threads)
    precisions, config = tuple(arguments.precisions.split(",")), config_of(arguments)
    report, shown = evaluate_package(arguments.package, precisions, config, arguments.threads, arguments.costs_ahead)
    write(arguments.out, report, shown)
    if arguments.out:
        write_walk(shown, arguments.out / "walk.mp4", Package.open(arguments.package).fps)
    return 0


def _dump(arguments: argparse.Namespace) -> int:
    package = _C.Package.read(arguments.package)
    for program in json.loads(package.manifest)["programs"]:
        print(package.dump(program))
    return 0


def _coverage(arguments: argparse.Namespace) -> int:
    from .coverage import HEADER, as_json, cover
    from .targets.networks import choose

    results = []
    print(HEADER)
    for result in cover(choose(arguments.networks, arguments.part), arguments.threads):
        print(result.row(), flush=True)
        results.append(result)
    if arguments.json:
        arguments.json.write_text(json.dumps(as_json(results), indent=1))
    return 0 if all(result.ok for result in results) else 1


def _ops(arguments: argparse.Namespace) -> int:
    if arguments.markdown:
        from .supported import supported_ops_page

        print(supported_ops_page(), end="")
        return 0
    for op in _C.op_table():
        inputs = ", ".join(
            f"{i['name']}{'?' if i['optional'] else ''}{'...' if i['variadic'] else ''}" for i in op["inputs"]
        )
        attrs = ", ".join(f"{a['name']}: {'|'.join(a['choices']) or a['type']}" for a in op["attrs"])
        print(f"{op['name']}({inputs}) {{{attrs}}}{' (view)' if op['view'] else ''}")
    return 0


def main() -> int:
    arguments = _parser().parse_args()
    commands = {
        "sim": _sim,
        "untrained": _untrained,
        "compare": _compare,
        "eval": _eval,
        "coverage": _coverage,
        "dump": _dump,
        "ops": _ops,
    }
    return commands[arguments.command](arguments)


if __name__ == "__main__":
    sys.exit(main())
