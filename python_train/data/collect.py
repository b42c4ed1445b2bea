"""Records episodes with several game processes. An episode depends on the seed and its index alone, so collection
resumes after any interruption and gives the same data with any number of workers."""

import multiprocessing
import queue
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from .doom import DOOM_SCHEMA, DoomConfig, DoomGame, Observation
from .episode import Recording, episode_path, write_episode
from .policies import POLICIES, Policy


@dataclass(frozen=True)
class CollectConfig:
    """A data set to record: `frames` in all, in episodes of `episode_frames`."""

    out: str
    frames: int = 150_000
    episode_frames: int = 600
    policy: str = "wanderer"
    explorer: str = ""  # weights of policy "ppo", if not the packed ones
    seed: int = 0
    workers: int = 2
    game: DoomConfig = field(default_factory=DoomConfig)

    @property
    def episodes(self) -> int:
        return -(-self.frames // self.episode_frames)


def record_episode(
    game: DoomGame, config: CollectConfig, start: Callable[[np.random.Generator], Policy], index: int
) -> Recording:
    """Plays episode `index` by the policy that `start` makes. Every random choice comes from (seed, index)."""
    rng = np.random.default_rng([config.seed, index])
    policy = start(rng)
    observation: Observation | None = game.reset(int(rng.integers(2**31)))
    seen: list[Observation] = []
    buttons: list[np.ndarray] = []
    while observation is not None and len(seen) < config.episode_frames:
        held = policy(observation)
        seen.append(observation)
        buttons.append(held)
        observation = game.step(held)
    return Recording(
        rgb=[item.rgb for item in seen],
        depth=np.stack([item.depth for item in seen]),
        buttons=np.stack(buttons),
        position=np.array([item.position for item in seen], np.float32),
        angle=np.array([item.angle for item in seen], np.float32),
        health=np.array([item.health for item in seen], np.float32),
        tic=np.array([item.tic for item in seen], np.int64),
    )


def _work(config: CollectConfig, indices: list[int], done: Any) -> None:
    game = DoomGame(config.game)
    start = POLICIES[config.policy](config.explorer)
    for index in indices:
        recording = record_episode(game, config, start, index)
        info = {
            "index": index,
            "seed": config.seed,
            "policy": config.policy,
            "fps": config.game.fps,
            "game": asdict(config.game),
        }
        write_episode(episode_path(Path(config.out), index), recording, DOOM_SCHEMA, info)
        done.put(len(recording.rgb))
    game.close()


def collect(config: CollectConfig) -> None:
    """Records the episodes that are missing in `config.out`; RuntimeError if a worker dies."""
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    missing = [index for index in range(config.episodes) if not episode_path(out, index).exists()]
    context = multiprocessing.get_context("spawn")
    done: Any = context.Queue()
    count = min(config.workers, len(missing))
    shares = [missing[worker::count] for worker in range(count)]
    workers = [context.Process(target=_work, args=(config, share, done), daemon=True) for share in shares]
    for worker in workers:
        worker.start()
    already = (config.episodes - len(missing)) * config.episode_frames
    with tqdm(total=config.episodes * config.episode_frames, initial=already, unit="frame") as bar:
        _wait(workers, done, len(missing), bar)
    for worker in workers:
        worker.join()


def _wait(workers: list[Any], done: Any, episodes: int, bar: Any) -> None:
    while episodes:
        try:
            bar.update(done.get(timeout=2.0))
            episodes -= 1
        except queue.Empty:
            failed = [worker.exitcode for worker in workers if worker.exitcode]
            if failed:
                raise RuntimeError(f"{len(failed)} collection worker(s) died, exit codes {failed}") from None
