"""The Yan-Sim denoiser (paper, "Yan-Sim: denoiser").

Legend: B batch, F frames (latents), h w rows and columns, C channels, P = h*w positions, D width, T actions a latent,
A buttons, E action width.
"""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ..config import register
from ..diffusion import Diffusion, RectifiedFlow
from ..layers.mlp import Mlp, ResidualMlp
from ..layers.rotary import AxialRotary
from .blocks import ActionAttention, SpatialAttention, TemporalAttention, modulate
from .cache import RingCache

FREQUENCIES = 32
CONDITIONING = ("attention", "token", "adaln")


@register
@dataclass(frozen=True)
class DenoiserConfig:
    """Sizes of a denoiser. `max_distance` must cover the frame loop: history + window, and the training clips.
    `head_width` and `hidden` (of the feed-forward) follow from the width unless they are given, as pruning does.

    `scope` "position" is the paper's block: spatial self-attention, action cross-attention, then temporal attention of
    each position to itself. With "frame" temporal attention sees all positions of the earlier latents, and spatial
    attention, which it contains, is left out: content that moves is found where it was in one step instead of two, and
    following the actions is learned from far fewer clips (docs/training.md).

    `conditioning` names the ways on which actions come in, one or more: "attention" is the paper's cross-attention in
    every block, "token" adds them to every position of their latent, "adaln" to its noise level's embedding.
    """

    rows: int = 5
    columns: int = 8
    channels: int = 16
    buttons: int = 6
    actions_per_latent: int = 2
    width: int = 256
    heads: int = 4
    layers: int = 6
    action_width: int = 256
    max_distance: int = 16
    scope: str = "frame"
    conditioning: tuple[str, ...] = ("attention",)
    diffusion: Diffusion = field(default_factory=RectifiedFlow)
    head_width: int = 0
    hidden: int = 0

    @property
    def head(self) -> int:
        """Channels of an attention head."""
        return self.head_width or self.width // self.heads

    @property
    def ffn(self) -> int:
        """Channels inside the feed-forward."""
        return self.hidden or 4 * self.width

    def __post_init__(self) -> None:
        if self.scope not in ("position", "frame"):
            raise ValueError(f"scope {self.scope!r} is neither 'position' nor 'frame'")
        if not self.conditioning or not set(self.conditioning) <= set(CONDITIONING):
            raise ValueError(f"conditioning {self.conditioning} must be one or more of {CONDITIONING}")

    def build(self) -> "Denoiser":
        return Denoiser(self)


class NoiseEmbedding(nn.Module):
    """Noise level in [0, 1] -> `[..., D]`. Only this and adaLN see it: once the grades are constants, both are, unless
    actions come in there, too."""

    frequencies: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        frequencies = math.pi * torch.exp(torch.linspace(0, math.log(100.0), FREQUENCIES))
        self.register_buffer("frequencies", frequencies, persistent=False)
        self.mlp = nn.Sequential(nn.Linear(2 * FREQUENCIES, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())

    def forward(self, sigma: Tensor) -> Tensor:
        angles = sigma[..., None] * self.frequencies
        y: Tensor = self.mlp(torch.cat([angles.cos(), angles.sin()], dim=-1))
        return y


class Block(nn.Module):
    """Spatial self-attention (scope "position" alone), action cross-attention, causal temporal attention, feed-forward.

    The noise level shifts, scales and gates all of them but the actions.
    """

    def __init__(self, config: DenoiserConfig, layer: int) -> None:
        super().__init__()
        width, heads, head = config.width, config.heads, config.head
        self.layer = layer
        rotary = AxialRotary(config.rows, config.columns, head)
        factorised = config.scope == "position"
        self.spatial = SpatialAttention(width, heads, head, rotary) if factorised else None
        crossed = "attention" in config.conditioning
        self.action = ActionAttention(width, heads, head, config.action_width) if crossed else None
        self.temporal = TemporalAttention(
            width, heads, head, config.max_distance, config.scope, None if factorised else rotary
        )
        self.mlp = ResidualMlp(width, config.ffn)
        sublayers = 3 if factorised else 2
        self.adaln = nn.Linear(width, 3 * sublayers * width)
        with torch.no_grad():
            # The sublayers' outputs start at zero, so their gates start open and the noise level starts as a whisper.
            self.adaln.weight.mul_(0.1)
            self.adaln.bias.zero_()
            self.adaln.bias.reshape(sublayers, 3, width)[:, 2] = 1.0

    def forward(self, x_BFPD: Tensor, noise: Tensor, action_BFTE: Tensor, cache: RingCache | None) -> Tensor:
        *spatial, shift_t, scale_t, gate_t, shift_m, scale_m, gate_m = self.adaln(noise).split(x_BFPD.shape[-1], -1)
        if self.spatial is not None:
            shift_s, scale_s, gate_s = spatial
            x_BFPD = x_BFPD + gate_s * self.spatial(modulate(x_BFPD, shift_s, scale_s))
        if self.action is not None:
            x_BFPD = x_BFPD + self.action(x_BFPD, action_BFTE)
        x_BFPD = x_BFPD + gate_t * self.temporal(modulate(x_BFPD, shift_t, scale_t), cache, self.layer)
        y: Tensor = x_BFPD + gate_m * self.mlp(modulate(x_BFPD, shift_m, scale_m))
        return y


class Denoiser(nn.Module):
    """Noisy latents, their noise levels and their actions -> clean latents."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.latent_in = nn.Linear(config.channels, width)
        self.position = nn.Parameter(torch.randn(config.rows * config.columns, width) * 0.02)
        self.noise = NoiseEmbedding(width)
        self.action_in = Mlp(config.buttons, config.action_width, config.action_width)
        self.action_position = nn.Parameter(torch.randn(config.actions_per_latent, config.action_width) * 0.5)
        actions = config.actions_per_latent * config.action_width
        self.action_token = nn.Linear(actions, width) if "token" in config.conditioning else None
        self.action_adaln = nn.Linear(actions, width) if "adaln" in config.conditioning else None
        self.blocks = nn.ModuleList(Block(config, layer) for layer in range(config.layers))
        self.adaln_out = nn.Linear(width, 2 * width)
        self.latent_out = nn.Linear(width, config.channels)
        nn.init.normal_(self.action_in.up.weight)
        with torch.no_grad():
            self.adaln_out.weight.mul_(0.1)
            self.adaln_out.bias.zero_()
        nn.init.zeros_(self.latent_out.weight)
        nn.init.zeros_(self.latent_out.bias)

    def forward(
        self, latents_BFhwC: Tensor, sigma: Tensor, actions_BFTA: Tensor, cache: RingCache | None = None
    ) -> Tensor:
        """Predicts x0 `[B,F,h,w,C]`.

        Args:
            latents_BFhwC: noisy latents.
            sigma: noise levels `[B,F]` or `[F]`.
            actions_BFTA: float multi-hot: the buttons held before the latent's first frame, then between its frames.
            cache: None trains on whole clips; with it, the F frames are the window of a frame loop and the rings in it
                are read and written.
        """
        b, f, h, w, c = latents_BFhwC.shape
        noise = self.noise(sigma).unsqueeze(-2)
        action_BFTE = self.action_in(actions_BFTA) + self.action_position
        x_BFPD = self.latent_in(latents_BFhwC.reshape(b, f, h * w, c)) + self.position
        if self.action_token is not None:
            x_BFPD = x_BFPD + self.action_token(action_BFTE.flatten(2)).unsqueeze(2)
        if self.action_adaln is not None:
            noise = noise + self.action_adaln(action_BFTE.flatten(2)).unsqueeze(2)
        for block in self.blocks:
            x_BFPD = block(x_BFPD, noise, action_BFTE, cache)
        shift, scale = self.adaln_out(noise).chunk(2, -1)
        output = self.latent_out(modulate(x_BFPD, shift, scale)).reshape(b, f, h, w, c)
        return self.config.diffusion.to_x0(output, latents_BFhwC, sigma[..., None, None, None])
