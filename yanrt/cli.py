"""The command `yanrt`. Every command is one function here and one call behind it."""

import argparse
import contextlib
import math
import os
import sys
from collections.abc import Sequence

from yanrt.engine import KV_TYPES, PRECISIONS, Engine, estimate
from yanrt.errors import ArgumentError, Error
from yanrt.package import Package


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; returns its exit status. Errors of yanrt print one line, without a traceback, and a reader that
    has seen enough (`yanrt dump doom | head`) is no error to speak of."""
    arguments = _parser().parse_args(argv)
    try:
        status = int(arguments.run(arguments))
        sys.stdout.flush()
        return status
    except Error as error:
        print(f"yanrt: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for Python's own flush at exit
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="yanrt", description="Plays interactive video world models.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    play = commands.add_parser("play", help="play a world in a window, or by a file of actions into a video")
    _add_session_options(play)
    play.add_argument("--actions", metavar="FILE", help="play these actions (docs/actions_file.md), then the keyboard")
    play.add_argument(
        "--frames", type=_positive, metavar="N", help="length of the script in frames (default: the file's)"
    )
    play.add_argument("--out", metavar="VIDEO", help="write the frames to this video (.mp4)")
    play.add_argument("--latency", metavar="FILE", help="write the times of the steps to this file (.json)")
    play.add_argument("--window", choices=("auto", "yes", "no"), default="auto", help="auto: where there is a screen")
    play.set_defaults(run=_play)

    info = commands.add_parser("info", help="what a package holds and how much memory a session of it takes")
    _add_model(info)
    info.set_defaults(run=_info)

    bench = commands.add_parser("bench", help="measure the steps of a session")
    _add_session_options(bench)
    bench.add_argument("--steps", type=_positive, default=120, metavar="N")
    bench.add_argument("--json", metavar="FILE", help="write the result to this file")
    bench.add_argument("--fps", type=_rate, help="play at this rate, asleep in between (default: without a pause)")
    bench.add_argument("--ablate", action="store_true", help="what cache, shift window, precision and plan give, each")
    bench.add_argument("--chart", metavar="PNG", help="with --ablate: draw the result")
    bench.set_defaults(run=_bench)

    profile = commands.add_parser("profile", help="where the time of a step goes, op by op")
    _add_session_options(profile)
    profile.add_argument("--steps", type=_positive, default=120, metavar="N")
    profile.add_argument("--html", metavar="FILE", help="write a page to look at")
    profile.add_argument("--trace", metavar="FILE", help="write a Chrome trace (ui.perfetto.dev opens it)")
    profile.add_argument("--json", metavar="FILE", help="write the numbers")
    profile.set_defaults(run=_profile)

    guess = commands.add_parser("estimate", help="will it fit a device, and how fast would it play there")
    _add_model(guess)
    guess.add_argument("--device", default="cpu", help="cpu, or a GPU by name: rtx4060, rtx4090, rtx5090, h20, h100")
    guess.add_argument("--size", type=_size, metavar="HxW", help="another size of the picture, such as 1088x1920")
    guess.add_argument("--fps", type=float, default=60.0, help="frames a second to reach (60)")
    guess.add_argument("--schedule", default="shift")
    guess.add_argument("--precision", choices=PRECISIONS, help="default: fp8 on a GPU, bf16 on a processor")
    guess.add_argument("--threads", type=_positive, help="of the processor; default: every core")
    guess.add_argument("--json", metavar="FILE", help="write the result to this file")
    guess.set_defaults(run=_estimate)

    verify = commands.add_parser("verify", help="check a package: structure, checksums, programs")
    _add_model(verify)
    verify.set_defaults(run=_verify)

    dump = commands.add_parser("dump", help="print programs as text, one op a line")
    _add_model(dump)
    dump.add_argument("program", nargs="?", help="default: all of them")
    dump.set_defaults(run=_dump)
    return parser


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", default="doom", help="a packaged world's name or a path (default: doom)")


def _add_session_options(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--schedule", default="shift")
    parser.add_argument("--precision", choices=("auto", *PRECISIONS), default="auto")
    parser.add_argument("--threads", type=_positive, help="default: every core")
    parser.add_argument("--isa", default="auto", help="instruction set (default: the best of this processor)")
    parser.add_argument("--kv", choices=KV_TYPES, default="auto", help="how K/V rings are kept (auto: as computed)")
    parser.add_argument("--device", default="auto", help="cpu, cuda or cuda:N (auto: cpu)")
    parser.add_argument("--decoder", default="auto", help="a GPU for the decoder alone, cuda:N (auto: with the rest)")


def _engine(model: str | Package, arguments: argparse.Namespace) -> Engine:
    names = ("device", "precision", "threads", "isa", "kv", "decoder")
    return Engine(model, **{name: getattr(arguments, name) for name in names})


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value


def _rate(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {value}")
    return value


def _size(text: str) -> tuple[int, int]:
    height, cross, width = text.partition("x")
    if not (cross and height.isdigit() and width.isdigit()):
        raise argparse.ArgumentTypeError(f"must be HEIGHTxWIDTH, such as 1088x1920, got {text!r}")
    return int(height), int(width)


def _play(arguments: argparse.Namespace) -> int:
    from yanrt.bench import table, write_json
    from yanrt.play.loop import play_keyboard, play_script
    from yanrt.play.script import by_step, read_actions
    from yanrt.play.video import VideoWriter
    from yanrt.play.window import Window, screen_available
    from yanrt.session import Session

    package = Package.open(arguments.model)
    if package.batch != 1:
        raise ArgumentError(
            f"play shows one world, {package.name} steps {package.batch} together; export it with batch 1"
        )
    if arguments.frames and not arguments.actions:
        raise ArgumentError("--frames is the length of the script; give --actions FILE too")
    script = read_actions(arguments.actions, package.actions) if arguments.actions else None
    show = arguments.window == "yes" or (arguments.window == "auto" and screen_available())
    if script is None and not show:
        raise ArgumentError("there is no screen to play on; give --actions FILE and --out VIDEO")

    picture = (package.height, package.width, package.fps)
    with contextlib.ExitStack() as stack:
        engine = _engine(package, arguments)
        session = stack.enter_context(Session(engine, schedule=arguments.schedule, seed=arguments.seed))
        window = stack.enter_context(Window(package.actions, *picture, f"yanrt: {package.name}")) if show else None
        session.reset()
        if script is not None:
            steps = by_step(script, arguments.frames or len(script), package.temporal_factor)
            with VideoWriter(arguments.out, *picture) if arguments.out else contextlib.nullcontext() as video:
                times = play_script(session, steps, video, window)
            if window is not None and window.open:
                play_keyboard(session, window)
        else:
            assert window is not None
            with VideoWriter(arguments.out, *picture) if arguments.out else contextlib.nullcontext() as video:
                times = play_keyboard(session, window, video)
        if len(times):
            summary = times.summary()
            print(table(summary))
            if arguments.latency:
                write_json(arguments.latency, summary)
        if arguments.out:
            print(f"wrote {arguments.out}: {len(times) * package.temporal_factor} frames")
    return 0


def _info(arguments: argparse.Namespace) -> int:
    package = Package.open(arguments.model)
    print(f"{package.name}: {package.path}, {os.path.getsize(package.path) / 2**20:.1f} MiB")
    print(
        f"  frames     {package.width}x{package.height} RGB, {package.fps} a second, {package.temporal_factor} a step"
    )
    print(f"  batch      {package.batch}")
    print(f"  actions    {package.actions.describe()}")
    print(f"  starts     {package.starts}")
    for name, schedule in sorted(package.manifest["schedules"].items()):
        phases = " -> ".join(f"{phase['name']} ({phase['program']})" for phase in schedule["on_step"])
        print(f"  schedule   {name}: {phases}; delay {schedule['delay']}")
    for precision in PRECISIONS:
        memory = estimate(package, precision)
        sizes = ", ".join(f"{name} {size / 2**20:.1f}" for name, size in memory.to_dict().items())
        print(f"  memory     {precision}: {sizes} MiB")
    return 0


def _bench(arguments: argparse.Namespace) -> int:
    from yanrt.bench import bench, table, write_json
    from yanrt.session import Session

    if arguments.ablate:
        if arguments.fps:
            raise ArgumentError("--ablate runs its variants without a pause; leave out --fps")
        return _ablate(arguments)
    if arguments.chart:
        raise ArgumentError("--chart draws an ablation; give --ablate too")
    engine = _engine(arguments.model, arguments)
    with Session(engine, schedule=arguments.schedule) as session:
        summary = bench(session, arguments.steps, arguments.seed, arguments.fps)
    print(table(summary))
    if arguments.json:
        write_json(arguments.json, summary)
    return 0


def _ablate(arguments: argparse.Namespace) -> int:
    from yanrt.ablate import ablate, table
    from yanrt.bench import write_json
    from yanrt.chart import write_chart

    result = ablate(Package.open(arguments.model), arguments.threads, arguments.isa, device=arguments.device)
    print(table(result))
    if arguments.json:
        write_json(arguments.json, result)
    if arguments.chart:
        write_chart(arguments.chart, result)
    return 0


def _profile(arguments: argparse.Namespace) -> int:
    from yanrt.bench import table, write_json
    from yanrt.profile import profile
    from yanrt.profile.record import table as op_table
    from yanrt.profile.report import write_report
    from yanrt.profile.trace import write_trace
    from yanrt.session import Session

    engine = _engine(arguments.model, arguments)
    with Session(engine, schedule=arguments.schedule) as session:
        result = profile(session, arguments.steps, arguments.seed)
    print(op_table(result))
    print(table(result.summary))
    if arguments.html:
        write_report(arguments.html, result)
    if arguments.trace:
        write_trace(arguments.trace, result)
    if arguments.json:
        write_json(arguments.json, result.to_dict())
    return 0


def _estimate(arguments: argparse.Namespace) -> int:
    from yanrt.bench import write_json
    from yanrt.roofline import estimate_speed, find_device, table

    precision = arguments.precision or ("bf16" if arguments.device == "cpu" else "fp8")
    package = Package.open(arguments.model)
    device = find_device(arguments.device, precision, arguments.threads, estimate(package, precision))
    result = estimate_speed(package, device, arguments.schedule, arguments.size)
    print(table(result, arguments.fps))
    if arguments.json:
        write_json(arguments.json, result.to_dict())
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    package = Package.open(arguments.model)
    programs = package.manifest["programs"]
    ops = sum(len(program["ops"]) for program in programs.values())
    tensors = len(package.manifest["tensors"])
    print(f"{package.path}: good; {tensors} tensors match their checksums, {len(programs)} programs, {ops} ops")
    return 0


def _dump(arguments: argparse.Namespace) -> int:
    package = Package.open(arguments.model)
    for name in [arguments.program] if arguments.program else sorted(package.manifest["programs"]):
        print(f"program {name}")
        print(package.dump(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
