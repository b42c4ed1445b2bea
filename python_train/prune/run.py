"""`python -m python_train prune`: importance, cut, recovery training."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from ..common import dist
from ..common.checkpoint import MODEL_FILE, read_header, save_model
from ..config import register
from ..sim.train import SimTask, SimTrainConfig
from ..train import train_sim, train_vae
from ..vae import HybridVAEConfig
from ..vae.train import VAETask, VAETrainConfig
from .cut import cut, smaller
from .groups import find_groups
from .importance import importance

CUT = "cut"  # folder of the checkpoint before the recovery


@register
@dataclass(frozen=True)
class PruneConfig:
    """A recovery run and the sizes to cut to; importance is measured over `batches` of the run's batches. The run's
    `start_from` is the checkpoint to prune."""

    run: SimTrainConfig | VAETrainConfig
    heads: int
    channels: int
    batches: int = 16


def prune(config: PruneConfig, folder: Path, world: dist.World) -> None:
    """Writes `folder/cut`, as it was cut, and trains the recovered checkpoint in `folder`. Resumes."""
    run = config.run
    if isinstance(run, SimTrainConfig):
        vae = read_header(run.vae)[0]
        run = replace(run, model=replace(run.model, vae=vae))
        denoiser = smaller(run.model.denoiser, config.heads, config.channels)
        pruned = replace(run, model=replace(run.model, denoiser=denoiser), start_from=str(folder / CUT))
        if not (folder / CUT).exists():
            _cut_simulator(config, run, pruned, folder / CUT, world)
        train_sim(pruned, folder, world)
        return
    if not isinstance(run.model, HybridVAEConfig):
        raise TypeError(f"{type(run.model).__name__} has no heads; only the decoder of a HybridVAE is pruned")
    model = smaller(run.model, config.heads, config.channels)
    pruned_vae = replace(run, model=model, start_from=str(folder / CUT), decoder_only=True)
    if not (folder / CUT).exists():
        _cut_decoder(config, run, model, folder / CUT, world)
    train_vae(pruned_vae, folder, world)


def _cut_simulator(
    config: PruneConfig, run: SimTrainConfig, pruned: SimTrainConfig, folder: Path, world: dist.World
) -> None:
    task, empty = SimTask(run, world), SimTask(replace(pruned, start_from=""), world)
    groups = find_groups(task.model)
    scores = importance(task.model, groups, _losses(task, config.batches))
    cut(task.model, groups, scores, empty.model, {"heads": config.heads, "channels": config.channels})
    empty.save(folder, 0, [])


def _cut_decoder(
    config: PruneConfig, run: VAETrainConfig, model: HybridVAEConfig, folder: Path, world: dist.World
) -> None:
    task, target = VAETask(run, world), model.build()
    groups = [group for group in find_groups(task.model) if group.path.startswith("decoder.")]
    scores = importance(task.model, groups, _losses(task, config.batches))
    cut(task.model, groups, scores, target, {"heads": config.heads, "channels": config.channels})
    save_model(folder / MODEL_FILE, target, model, {"kind": "vae", "step": 0, "seed": run.loop.seed, "curve": []})


def _losses(task: SimTask | VAETask, batches: int) -> list[Callable[[], Tensor]]:
    task.model.eval()
    return [lambda step=step: task.loss(task.model, task.batch(step))[0] for step in range(batches)]  # type: ignore[misc]
