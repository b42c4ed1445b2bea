"""`python -m python_train collect | encode | train vae | train sim | eval vae | eval sim`: the commands of training."""

import argparse
from pathlib import Path

from .common import dist
from .configs import RUNS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m python_train", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    collect = commands.add_parser("collect", help="record episodes of a game; resumes")
    collect.add_argument("--out", default="data/doom")
    collect.add_argument("--frames", type=int, default=150_000)
    collect.add_argument("--episode-frames", type=int, default=600)
    collect.add_argument("--policy", default="wanderer")
    collect.add_argument("--seed", type=int, default=0)
    collect.add_argument("--workers", type=int, default=2)
    collect.add_argument("--size", default="160x256", help="HEIGHTxWIDTH of the frames")
    train = commands.add_parser("train", help="train a model; resumes from the last checkpoint in --out")
    train.add_argument("model", choices=("vae", "sim"))
    train.add_argument("--config", default="doom", choices=sorted(RUNS))
    train.add_argument("--out", help="folder of the run (default runs/MODEL)")
    train.add_argument("--data", help="data set, if not the config's")
    train.add_argument("--steps", type=int, help="length of the run, if not the config's")
    return parser


def _collect(arguments: argparse.Namespace) -> None:
    from .data.collect import CollectConfig, collect
    from .data.doom import DoomConfig

    height, width = (int(value) for value in arguments.size.split("x"))
    collect(
        CollectConfig(
            out=arguments.out,
            frames=arguments.frames,
            episode_frames=arguments.episode_frames,
            policy=arguments.policy,
            seed=arguments.seed,
            workers=arguments.workers,
            game=DoomConfig(height=height, width=width),
        )
    )


def _train(arguments: argparse.Namespace) -> None:
    from .train import train_vae

    world = dist.start()
    folder = Path(arguments.out or f"runs/{arguments.model}")
    train_vae(RUNS[arguments.config], folder, world, arguments.data, arguments.steps)
    dist.stop()


def main() -> None:
    arguments = _parser().parse_args()
    {"collect": _collect, "train": _train}[arguments.command](arguments)


if __name__ == "__main__":
    main()
