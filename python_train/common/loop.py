"""The training loop, the same for every model. A task says what a batch, a loss and a picture are."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from ..config import register
from . import dist
from .checkpoint import load_resume, save_resume
from .ema import Ema
from .optim import OptimConfig, build_optimizers, lr_scale


@register
@dataclass(frozen=True)
class LoopConfig:
    """Length and rhythm of a run. `batch` counts all processes; `validate_every` is in steps. `compile` runs the model
    through torch.compile: minutes at the start and at each new shape of a batch, and a third less a step after that
    (denoiser, 16 clips of 8, one core with AMX)."""

    steps: int
    batch: int
    optim: OptimConfig
    ema_decay: float = 0.998
    validate_every: int = 300
    checkpoint_seconds: float = 180.0
    compile: bool = False
    seed: int = 0


class Task(Protocol):
    """What is trained. `batch` may run in another thread, ahead of time; everything random depends on `step` alone."""

    @property
    def model(self) -> nn.Module: ...

    def batch(self, step: int) -> tuple[Tensor, ...]: ...

    def loss(self, model: nn.Module, batch: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, Tensor]]: ...

    def validate(self) -> dict[str, float]: ...

    def sheet(self) -> np.ndarray: ...

    def save(self, folder: Path, step: int, curve: list[dict[str, float]]) -> None: ...


class Loop:
    """Runs `task` in `folder`, from the last checkpoint there if there is one."""

    def __init__(self, task: Task, config: LoopConfig, folder: Path, world: dist.World) -> None:
        self.task, self.config, self.folder, self.world = task, config, folder, world
        self.optimizers = build_optimizers(task.model, config.optim)
        self.rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in self.optimizers]
        self.ema = Ema(task.model, config.ema_decay)
        self.curve: list[dict[str, float]] = []
        self.step = 0
        self.seconds = 0.0
        self._resume()
        self.model = dist.wrap(task.model, world)
        if config.compile:
            self.model = cast(nn.Module, torch.compile(self.model, dynamic=False))
        self.losses: list[float] = []
        # Processor seconds: of loading since the last validation, and of the process when that ended.
        self.loading, self.measured = 0.0, time.process_time()

    def run(self, until: int | None = None) -> list[float]:
        """Trains to step `until` (the whole run if None) and returns the loss of every step taken here."""
        last = min(until or self.config.steps, self.config.steps)
        self.folder.mkdir(parents=True, exist_ok=True)
        writer = SummaryWriter(str(self.folder)) if self.world.leads else None
        saved = clock = time.monotonic()
        bar = tqdm(total=self.config.steps, initial=self.step, disable=not self.world.leads, mininterval=5.0)
        with ThreadPoolExecutor(1) as pool, bar:
            upcoming = pool.submit(self._load, self.step)
            while self.step < last:
                batch = upcoming.result()
                upcoming = pool.submit(self._load, self.step + 1)
                parts = self._train(batch)
                self.step += 1
                self.seconds, clock = self.seconds + time.monotonic() - clock, time.monotonic()
                self._log(writer, parts, bar)
                if self.step % self.config.validate_every == 0 or self.step == last:
                    self._validate(writer)
                if dist.agree(clock - saved > self.config.checkpoint_seconds or self.step == last, self.world):
                    self._save()
                    saved = time.monotonic()
        if writer:
            writer.close()
        return self.losses

    def _load(self, step: int) -> tuple[Tensor, ...]:
        """A batch; counts the processor time it takes, which is taken from training where both share cores."""
        began = time.thread_time()
        batch = self.task.batch(step)
        self.loading += time.thread_time() - began
        return batch

    def _train(self, batch: tuple[Tensor, ...]) -> dict[str, float]:
        scale = lr_scale(self.config.optim, self.step, self.config.steps)
        for optimizer, rates in zip(self.optimizers, self.rates, strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * scale
        self.model.train()
        loss, parts = self.task.loss(self.model, batch)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        norm = torch.nn.utils.clip_grad_norm_(self.task.model.parameters(), self.config.optim.clip)
        for optimizer in self.optimizers:
            optimizer.step()
        self.ema.update(self.task.model)
        loss = dist.mean(loss.detach(), self.world)
        if not torch.isfinite(loss):
            raise FloatingPointError(f"loss is {loss.item()} at step {self.step}; lower the learning rate and resume")
        self.losses.append(loss.item())
        return {"loss": loss.item(), "grad_norm": norm.item(), "lr_scale": scale} | {
            name: value.item() for name, value in parts.items()
        }

    def _log(self, writer: SummaryWriter | None, parts: dict[str, float], bar: Any) -> None:
        bar.update()
        bar.set_postfix(loss=f"{np.mean(self.losses[-50:]):.4f}", refresh=False)
        if writer and self.step % 10 == 0:
            for name, value in parts.items():
                writer.add_scalar(f"train/{name}", value, self.step)

    def _validate(self, writer: SummaryWriter | None) -> None:
        """Measures and draws with the averaged weights, on process 0."""
        if writer is None:
            return
        loading_share = self.loading / (time.process_time() - self.measured)
        with self.ema.applied(self.task.model), torch.no_grad():
            values = self.task.validate()
            sheet = self.task.sheet()
        recent = float(np.mean(self.losses[-self.config.validate_every :]))
        row = {"step": float(self.step), "seconds": round(self.seconds, 1), "loss": recent} | values
        row["loading_share"] = round(loading_share, 4)
        self.curve.append(row)
        for name, value in values.items():
            writer.add_scalar(f"val/{name}", value, self.step)
        Image.fromarray(sheet).save(self.folder / f"sheet_{self.step:06d}.png")
        (self.folder / "curve.json").write_text(json.dumps(self.curve, indent=1))
        print(" ".join(f"{name} {value:.4g}" for name, value in row.items()), flush=True)
        self.loading, self.measured = 0.0, time.process_time()

    def _save(self) -> None:
        if not self.world.leads:
            return
        state = {
            "step": self.step,
            "seconds": self.seconds,
            "model": self.task.model.state_dict(),
            "ema": self.ema.shadow,
            "ema_updates": self.ema.updates,
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "curve": self.curve,
        }
        save_resume(self.folder, state)
        with self.ema.applied(self.task.model), torch.no_grad():
            self.task.save(self.folder, self.step, self.curve)

    def _resume(self) -> None:
        state = load_resume(self.folder)
        if state is None:
            return
        self.step, self.seconds, self.curve = state["step"], state["seconds"], state["curve"]
        self.task.model.load_state_dict(state["model"])
        self.ema.load(state["ema"], state["ema_updates"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
