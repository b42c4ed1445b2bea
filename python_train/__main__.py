"""The commands of training: `collect`, `curate`, `encode`, `train vae|decoder|sim|explorer`, `prune decoder|sim`,
`redraw`, `resume-point`, `eval vae|sim`."""

import argparse
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch

from .common import dist
from .configs import RUNS
from .data.policies import POLICIES
from .eval.command import add_arguments, config_of, write
from .train import Changes


def _run_options() -> argparse.ArgumentParser:
    """What `train` and `prune` let one change in a config's run."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--config", default="doom", choices=sorted(RUNS))
    options.add_argument("--data", help="data set, if not the config's")
    options.add_argument("--curation", help="what `curate` wrote, if not the config's: clips are drawn as it says")
    options.add_argument("--second", help="data set of a simulator's second set of clips, if not the config's")
    options.add_argument("--steps", type=int, help="length of the run (explorer: decisions), if not the config's")
    options.add_argument("--start", help="checkpoint whose weights a run starts from (to prune), if not the config's")
    options.add_argument("--vae", help="VAE checkpoint of a simulator run, if not the config's")
    options.add_argument("--threads", type=int, default=2, help="processor threads of this process")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m python_train", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    collect = commands.add_parser("collect", help="record episodes of a game; resumes")
    collect.add_argument("--out", default="data/doom")
    collect.add_argument("--frames", type=int, default=150_000)
    collect.add_argument("--episode-frames", type=int, default=600)
    collect.add_argument("--policy", default="wanderer", choices=sorted(POLICIES))
    collect.add_argument(
        "--explorer", default="", help="for --policy ppo: a run of `train explorer`, if not the packed one"
    )
    collect.add_argument("--seed", type=int, default=0)
    collect.add_argument("--workers", type=int, default=2)
    collect.add_argument("--size", default="160x256", help="HEIGHTxWIDTH of the frames")
    curation = commands.add_parser("curate", help="filter and balance a data set, write its card; resumes")
    curation.add_argument("--data", default="data/doom", type=Path)
    curation.add_argument("--out", type=Path, help="folder of the result (default DATA/curation)")
    run = _run_options()
    train = commands.add_parser(
        "train", help="train a model; resumes from the last checkpoint in --out (explorer: anew)", parents=[run]
    )
    train.add_argument("model", choices=("vae", "decoder", "sim", "explorer"))
    train.add_argument("--out", help="folder of the run (default runs/MODEL)")
    prune = commands.add_parser(
        "prune", help="leave out heads and channels, then train to recover; resumes", parents=[run]
    )
    prune.add_argument("model", choices=("decoder", "sim"))
    prune.add_argument("--heads", type=int, help="heads that each attention keeps, if not the config's")
    prune.add_argument("--channels", type=int, help="channels that each feed-forward keeps, if not the config's")
    prune.add_argument("--out", help="folder of the run (default runs/pruned_MODEL)")
    encode = commands.add_parser("encode", help="encode a data set into latents for the simulator")
    encode.add_argument("--data", default="data/doom")
    encode.add_argument("--vae", default="runs/vae")
    encode.add_argument("--episodes", type=int, help="at most so many of a split, if not all")
    encode.add_argument("--threads", type=int, default=2)
    encode.add_argument("--out", help="folder of the latents (default DATA/latents)")
    drawn = commands.add_parser(
        "redraw", help="a simulator with a decoder that was refined after its latents were made"
    )
    drawn.add_argument("--checkpoint", default="runs/sim")
    drawn.add_argument("--vae", default="runs/decoder")
    drawn.add_argument("--out", default="runs/redrawn_sim", type=Path)
    keep = commands.add_parser("resume-point", help="write a checkpoint's weights small enough to keep in git")
    keep.add_argument("--checkpoint", default="runs/sim")
    keep.add_argument("--out", default="python_train/resume")
    evaluate = commands.add_parser("eval", help="measure a checkpoint on held-out data; prints JSON")
    models = evaluate.add_subparsers(dest="model", required=True)
    vae = models.add_parser("vae", help="what the VAE keeps of frames")
    vae.add_argument("--data", default="data/doom", type=Path)
    vae.add_argument("--split", default="test")
    vae.add_argument("--clips", type=int, default=512)
    vae.add_argument("--out", type=Path, help="folder for eval.json and the contact sheet")
    sim = models.add_parser("sim", help="how the simulator plays on, in PyTorch; see also `python -m exporters eval`")
    add_arguments(sim, plays=0)
    for model, name in ((vae, "vae"), (sim, "sim")):
        model.add_argument("--checkpoint", default=f"runs/{name}")
        model.add_argument("--threads", type=int, default=2)
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
            explorer=arguments.explorer,
            seed=arguments.seed,
            workers=arguments.workers,
            game=DoomConfig(height=height, width=width),
        )
    )


def _curate(arguments: argparse.Namespace) -> None:
    from .data.curate import CurateConfig, curate

    out = arguments.out or arguments.data / "curation"
    result = curate(CurateConfig(arguments.data, out))
    print((out / "README.md").read_text())
    print({name: f"{share:.4%}" for name, share in result.removed_shares.items()})


def _changes(arguments: argparse.Namespace) -> Changes:
    return Changes(**{field.name: getattr(arguments, field.name) for field in fields(Changes)})


def _train(arguments: argparse.Namespace) -> None:
    from .explore.train import train_explorer
    from .train import train_sim, train_vae

    world = dist.start()
    torch.set_num_threads(arguments.threads)
    config = getattr(RUNS[arguments.config], arguments.model)()
    folder = Path(arguments.out or f"runs/{arguments.model}")
    if arguments.model == "explorer":
        train_explorer(config if arguments.steps is None else replace(config, decisions=arguments.steps), folder)
    elif arguments.model == "sim":
        train_sim(_changes(arguments).of_sim(config), folder, world)
    else:
        train_vae(_changes(arguments).of_vae(config), folder, world)
    dist.stop()


def _prune(arguments: argparse.Namespace) -> None:
    from .prune.run import prune

    world = dist.start()
    torch.set_num_threads(arguments.threads)
    name = f"prune_{arguments.model}"
    if not hasattr(RUNS[arguments.config], name):
        raise SystemExit(f"the config {arguments.config} has no {name}: its {arguments.model} has no heads")
    config = getattr(RUNS[arguments.config], name)()
    given = {name: getattr(arguments, name) for name in ("heads", "channels") if getattr(arguments, name)}
    changes = _changes(arguments)
    run = changes.of_sim(config.run) if arguments.model == "sim" else changes.of_vae(config.run)
    prune(replace(config, run=run, **given), Path(arguments.out or f"runs/pruned_{arguments.model}"), world)
    dist.stop()


def _encode(arguments: argparse.Namespace) -> None:
    from .common.checkpoint import load_model, model_file
    from .common.provenance import sha256
    from .data.latents import encode_split
    from .data.split import SPLITS
    from .vae import VAE

    vae, _, _ = load_model(arguments.vae)
    if not isinstance(vae, VAE):
        raise SystemExit(f"{arguments.vae} holds a {type(vae).__name__}, not a VAE")
    data = Path(arguments.data)
    out = Path(arguments.out) if arguments.out else data / "latents"
    source = {"vae_sha256": sha256(model_file(arguments.vae))}
    torch.set_num_threads(arguments.threads)
    for split in SPLITS:
        encode_split(vae, data, split, out / f"{split}.safetensors", source, arguments.episodes)


def _eval(arguments: argparse.Namespace) -> None:
    from .common.checkpoint import load_model
    from .eval.player import TorchPlayer
    from .eval.sim import Shown, SimEvaluation
    from .eval.vae import evaluate_vae, vae_sheet
    from .sim import SimModel
    from .vae import VAE

    torch.set_num_threads(arguments.threads)
    model, _, metadata = load_model(arguments.checkpoint)
    report: dict[str, Any] = {"step": metadata.get("step"), "split": arguments.split}
    if arguments.model == "vae":
        vae = model.vae if isinstance(model, SimModel) else model
        if not isinstance(vae, VAE):
            raise SystemExit(f"{arguments.checkpoint} holds a {type(model).__name__}, which has no VAE")
        numbers, seen = evaluate_vae(vae, arguments.data, arguments.split, arguments.clips)
        write(arguments.out, report | {"clips": arguments.clips} | numbers, Shown({"vae": vae_sheet(seen)}))
    elif isinstance(model, SimModel):
        evaluation = SimEvaluation(TorchPlayer(model), config_of(arguments))
        write(arguments.out, report | evaluation.run(), evaluation.shown)
    else:
        raise SystemExit(f"{arguments.checkpoint} holds a {type(model).__name__}, not a simulator")


def _redraw(arguments: argparse.Namespace) -> None:
    from .sim.redraw import redraw

    redraw(arguments.checkpoint, arguments.vae, arguments.out)


def _resume_point(arguments: argparse.Namespace) -> None:
    from .resume_point import write_resume_point

    for file in write_resume_point(arguments.checkpoint, Path(arguments.out)):
        print(f"{file}: {file.stat().st_size / 2**20:.1f} MiB")


COMMANDS = {
    "collect": _collect,
    "curate": _curate,
    "train": _train,
    "prune": _prune,
    "encode": _encode,
    "redraw": _redraw,
    "resume-point": _resume_point,
    "eval": _eval,
}


def main() -> None:
    arguments = _parser().parse_args()
    COMMANDS[arguments.command](arguments)


if __name__ == "__main__":
    main()
