"""What the two commands that measure a simulator share: `python -m python_train eval sim`, which plays a checkpoint in
PyTorch, and `python -m exporters eval`, which plays its package in the runtime."""

import argparse
import json
from pathlib import Path
from typing import Any

from PIL import Image

from .rollouts import HORIZONS
from .sim import Shown, SimEvalConfig


def add_arguments(parser: argparse.ArgumentParser, plays: int) -> None:
    parser.add_argument("--data", default="data/doom", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--starts", type=int, default=64, help="held-out starts")
    parser.add_argument("--seeds", type=int, default=3, help="noise seeds a start")
    parser.add_argument("--ahead", type=int, default=HORIZONS[-1], help="latents to play on from each start")
    parser.add_argument("--schedules", default="shift,sequential", help="the first one makes the long plays")
    parser.add_argument("--no-contradictions", action="store_true", help="leaves out the first contradiction")
    parser.add_argument("--circles", type=int, default=50, help="starts of the return test; 0 leaves it out")
    parser.add_argument("--plays", type=int, default=plays, help="free plays; 0 leaves them out")
    parser.add_argument("--play-latents", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="folder for eval.json and the pictures")


def config_of(arguments: argparse.Namespace) -> SimEvalConfig:
    return SimEvalConfig(
        data=arguments.data,
        split=arguments.split,
        starts=arguments.starts,
        seeds=arguments.seeds,
        ahead=arguments.ahead,
        schedules=tuple(arguments.schedules.split(",")),
        contradictions=not arguments.no_contradictions,
        circles=arguments.circles,
        plays=arguments.plays,
        play_latents=arguments.play_latents,
        seed=arguments.seed,
    )


def write(out: Path | None, report: dict[str, Any], shown: Shown) -> None:
    """Prints the report as JSON; with a folder, writes it there with the contact sheets."""
    text = json.dumps(report, indent=1)
    print(text)
    if out is None:
        return
    out.mkdir(parents=True, exist_ok=True)
    (out / "eval.json").write_text(text)
    for name, picture in shown.sheets.items():
        Image.fromarray(picture).save(out / f"{name}.png")
