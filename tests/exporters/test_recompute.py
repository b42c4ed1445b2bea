"""The shift window without a KV cache: in the runtime as in eager PyTorch, and as with the cache where both agree."""

import numpy as np
import torch

import yanrt
from exporters.api import write
from exporters.lower import ProgramSpec, lower
from exporters.quant import Storage
from python_train.configs import tiny
from python_train.sim.frame_loop import Append, FrameLoop, StepShift
from python_train.sim.recompute import AppendRecompute, Past, StepRecompute
from tests.exporters.test_frame_loop import MANIFEST

SEEDS = torch.tensor([5, 6])


def loops():
    """The same networks twice: with the cache, and without."""
    torch.manual_seed(0)
    config = tiny.sim_model()
    denoiser = config.denoiser.build().eval()
    with torch.no_grad():
        for parameter in denoiser.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.05)
    return FrameLoop(denoiser, config, batch=2).eval(), FrameLoop(denoiser, config, batch=2).eval()


def script(config, count):
    generator = torch.Generator().manual_seed(1)
    latents = torch.randn(count, 2, config.rows, config.columns, config.channels, generator=generator)
    held = torch.rand(count, 2, config.actions_per_latent, config.buttons, generator=generator) < 0.3
    return latents, held.float()


def relative(a, b):
    return float(np.sqrt(np.square(a - b).mean() / np.square(b).mean()))


def test_agrees_with_the_cache_while_the_history_is_short():
    """A cached latent has seen what came before it; up to `history` latents the recomputed one sees the same."""
    cached, recomputing = loops()
    past = Past(recomputing)
    latents, actions = script(tiny.sim_model().denoiser, 6)
    with torch.no_grad():
        for loop, append, step in (
            (cached, Append(cached), StepShift(cached)),
            (recomputing, AppendRecompute(recomputing, past), StepRecompute(recomputing, past)),
        ):
            loop.reset(SEEDS)
            append(latents[0], actions[0])
            append(latents[1], actions[1])
            loop.results = [step(action) for action in actions[2:6]]  # 2 + 4 latents: no more than `history`
    for a, b in zip(recomputing.results, cached.results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)
    # In four calls one latent has left the window: the one that the third call made clean.
    torch.testing.assert_close(past.latents[:, -1], recomputing.results[2])
    torch.testing.assert_close(past.latents[:, -2], latents[1])


def test_runtime_follows_eager(tmp_path):
    """Two turns of the ring, an append in the middle, two worlds."""
    _, loop = loops()
    past = Past(loop)
    append, step = AppendRecompute(loop, past), StepRecompute(loop, past)
    latents, actions = script(tiny.sim_model().denoiser, 18)
    path = tmp_path / "recompute.safetensors"
    with torch.no_grad():
        specs = {
            "step": ProgramSpec(step, (actions[0],), ("latent",)),
            "append": ProgramSpec(append, (latents[0], actions[0])),
        }
        write(path, lower(specs, lambda name: name.removeprefix("loop."), seeds=("seed",)), MANIFEST, Storage("f32"))
    runner = yanrt.Engine(path, precision="fp32", threads=1).runner()
    runner.reset(seed=5)
    with torch.no_grad():
        loop.reset(SEEDS)
        for i, (latent, action) in enumerate(zip(latents, actions, strict=True)):
            if i in (0, 9):
                append(latent, action)
                runner.program("append")(latent.numpy(), action.numpy())
                continue
            expected = step(action).numpy()
            (result,) = runner.program("step")(action.numpy())
            assert relative(result, expected) < 1e-4, f"step {i}"
    np.testing.assert_allclose(runner.state["past.latents"], past.latents, atol=1e-3)
