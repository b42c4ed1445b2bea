"""Measures a package as the runtime plays it, by the measures of `python_train.eval`.

It stands here because training knows nothing of the runtime, and the runtime nothing of data sets and measures;
exporters know both, and compare packages with checkpoints already. The package brings its own encoder, so no checkpoint
is needed.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

import yanrt
from python_train.eval.intervals import estimate
from python_train.eval.rollouts import encode_context, horizons_up_to, play_ways, score
from python_train.eval.sim import Shown, SimEvalConfig, SimEvaluation
from python_train.eval.starts import draw_starts


class PackagePlayer:
    """A package at one precision, as a player of `python_train.eval`. ValueError for a package with a batch."""

    def __init__(self, package: str | os.PathLike[str], precision: str, threads: int) -> None:
        self.engine = yanrt.Engine(package, precision=precision, threads=threads)
        if self.engine.package.batch != 1:
            raise ValueError(f"{package} plays {self.engine.package.batch} worlds at once; export it with --batch 1")
        self.runner = self.engine.runner()
        self.delays = {name: item["delay"] for name, item in self.engine.package.manifest["schedules"].items()}

    def encode(self, frames_u8: Tensor) -> Tensor:
        return self._each("vae/encode", frames_u8)

    def decode(self, latents_NhwC: Tensor) -> Tensor:
        return self._each("vae/decode", latents_NhwC)

    def play(self, context_NFhwC: Tensor, actions_NMTA: Tensor, schedule: str, seed: int) -> Tensor:
        """As `python_train.sim.rollout` does: calls that only fill the window are read past."""
        delay, append = self.delays[schedule], self.runner.program("sim/append")
        step = self.runner.program(f"sim/step_{schedule}")
        begun, played = context_NFhwC.numpy(), actions_NMTA.numpy()
        history = begun.shape[1]
        idle = np.zeros((delay, *played.shape[2:]), np.float32)
        made = []
        precision = self.engine.precision
        for world in tqdm(range(len(begun)), desc=f"play {schedule} {precision}", mininterval=10):
            self.runner.reset(seed + world)
            for latent, action in zip(begun[world], played[world, :history], strict=True):
                append(latent[None], action[None])
            actions = np.concatenate([played[world, history:], idle])
            made.append(np.concatenate([step(action[None])[0] for action in actions][delay:]))
        return torch.from_numpy(np.stack(made))

    def _each(self, program: str, items: Tensor) -> Tensor:
        run = self.runner.program(program)
        return torch.from_numpy(np.concatenate([run(item[None])[0] for item in items.numpy()]))


def evaluate_package(
    package: str | os.PathLike[str], precisions: tuple[str, ...], config: SimEvalConfig, threads: int, costs_ahead: int
) -> tuple[dict[str, Any], Shown]:
    """Every measure at the first precision; rollouts under true actions at the others too, `costs_ahead` latents long:
    in `costs`, the PSNR of each and its difference to the first ([mean, low, high] in dB, start by start)."""
    main = PackagePlayer(package, precisions[0], threads)
    evaluation = SimEvaluation(main, config)
    engine = main.engine
    report = {"package": engine.package.name, "provenance": engine.package.manifest["provenance"]} | {
        "precision": precisions[0],
        "isa": engine.info["isa"],
        **evaluation.run(),
    }
    schedule = config.schedules[0]
    costs: dict[str, Any] = {}
    base = evaluation.scores[schedule]["psnr"]
    for precision in precisions[1:]:
        player = PackagePlayer(package, precision, threads)
        starts = draw_starts(config.data, config.split, config.starts, config.ahead, config.seed).shortened(costs_ahead)
        context = encode_context(player, starts)
        ways = play_ways(player, context, {"": starts.actions}, (schedule,), config.seeds, config.seed)
        psnr = score(player, starts, context, ways)[schedule]["psnr"]
        costs[precision] = {
            horizon: {
                "psnr": estimate(psnr[:, place], config.seed).to_list(),
                f"minus {precisions[0]}": estimate(psnr[:, place] - base[:, place], config.seed).to_list(),
            }
            for place, horizon in enumerate(horizons_up_to(costs_ahead))
        }
    return report | {"costs": costs}, evaluation.shown


def write_walk(shown: Shown, path: Path, fps: float) -> None:
    """The walks one after the other as a video: recorded, played with true and with wrong actions, side by side."""
    from yanrt.play.video import VideoWriter

    assert shown.walk is not None, "rollouts are always made"
    frames = shown.walk.numpy()
    with VideoWriter(path, frames.shape[1], frames.shape[2], fps) as video:
        video.write(frames)
