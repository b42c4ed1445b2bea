"""Both schedules of the frame loop in the runtime, against the same loop in eager PyTorch, each playing on freely."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import yanrt
from exporters.api import write
from exporters.lower import ProgramSpec, lower
from exporters.quant import Storage
from python_train.configs import tiny
from python_train.prune import smaller
from python_train.sim.frame_loop import Append, FrameLoop, StepSequential, StepShift

MANIFEST = {
    "name": "loop",
    "fps": 1.0,
    "frame": {"height": 1, "width": 1, "temporal_factor": 1},
    "batch": 2,
    "actions": {"buttons": []},
    "schedules": {},
    "provenance": {},
}


@pytest.mark.parametrize(
    ("step", "evaluations", "changes"),
    [
        (StepShift, 1, {}),
        (StepShift, 2, {}),
        (StepSequential, 2, {}),
        (StepShift, 1, {"heads": 1}),
        (StepShift, 1, {"conditioning": ("attention", "token", "adaln")}),
        (StepSequential, 1, {"conditioning": ("token",)}),
    ],
)
def test_runtime_follows_eager(step, evaluations, changes, tmp_path):
    """More than two turns of the ring, with an append at the start and one in the middle; a batch of two worlds."""
    torch.manual_seed(0)
    config = replace(tiny.sim_model(), evaluations=evaluations)
    pruned = "heads" in changes
    denoiser = smaller(config.denoiser, channels=40, **changes) if pruned else replace(config.denoiser, **changes)
    config = replace(config, denoiser=denoiser)
    denoiser = config.denoiser.build().eval()
    with torch.no_grad():
        for parameter in denoiser.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.05)
    loop = FrameLoop(denoiser, config, batch=2).eval()
    d = config.denoiser
    latents, actions = (
        torch.randn(20, 2, d.rows, d.columns, d.channels),
        torch.rand(20, 2, d.actions_per_latent, d.buttons),
    )
    actions = (actions < 0.3).float()

    path = tmp_path / "loop.safetensors"
    specs = {
        "step": ProgramSpec(step(loop), (actions[0],), ("latent",)),
        "append": ProgramSpec(Append(loop), (latents[0], actions[0])),
    }
    write(path, lower(specs, lambda name: name.removeprefix("loop."), seeds=("seed",)), MANIFEST, Storage("f32"))
    runner = yanrt.Engine(path, precision="fp32", threads=1).runner()
    runner.reset(seed=5)
    with torch.no_grad():
        loop.reset(torch.tensor([5, 6]))
        for i, (latent, action) in enumerate(zip(latents, actions, strict=True)):
            if i in (0, 11):
                loop.append(latent, action)
                runner.program("append")(latent.numpy(), action.numpy())
                continue
            expected = step(loop)(action).numpy()
            (result,) = runner.program("step")(action.numpy())
            assert np.sqrt(np.square(result - expected).mean() / np.square(expected).mean()) < 1e-4, f"step {i}"
    for name, value in runner.state.items():
        np.testing.assert_allclose(value, loop.get_buffer(name), atol=1e-3)
