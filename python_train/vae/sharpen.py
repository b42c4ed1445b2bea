"""Sharpening a decoder whose latents stay: a decoder trained on errors of pixels alone paints the mean of all textures.

After VQGAN (Esser et al. 2021): beside the errors of pixels, a distance of features (Zhang et al. 2018) and a critic of
patches. Both look at one crop a step. The critic sees the two frames of a latent together, so texture must move, too.

Legend: B clips, T = 2 frames a latent, H W pixels, C critic channels in, h w C latent.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from ..config import register
from ..eval.features import block_outputs, picture_network
from .base import FRAMES, VAE

STAGES = (0, 2, 4, 10)  # the last blocks of EfficientNet-Lite0 at strides of 2, 4, 8 and 16


@register
@dataclass(frozen=True)
class SharpenConfig:
    """`shares`: how large the gradients of features and of the critic are in the picture, as fractions of that of the
    errors of pixels. `crop`: side of the crop in pixels. `width`: of the critic."""

    shares: tuple[float, float] = (0.5, 0.8)
    crop: int = 128
    width: int = 32


class Critic(nn.Module):
    """Scores patches of some 46 pixels, `[B,T*3,H,W]` -> `[B,1,H/8,W/8]`: high where they look recorded."""

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = (FRAMES * 3, width, 2 * width, 4 * width)
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairwise(widths))
        self.score = nn.Conv2d(widths[-1], 1, 3, padding=1)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        for conv in self.convs:
            x_BCHW = F.leaky_relu(conv(x_BCHW), 0.2)
        score: Tensor = self.score(x_BCHW)
        return score


class FeatureDistance:
    """Squared distance of features of unit length, of the mean over four stages of EfficientNet-Lite0."""

    def __init__(self) -> None:
        self.network = picture_network().requires_grad_(False)

    def __call__(self, a_N3HW: Tensor, b_N3HW: Tensor) -> Tensor:
        """Scalar; the gradient reaches `a` alone."""
        self.network.to(a_N3HW.device)
        with torch.no_grad():
            targets = self._features(b_N3HW)
        pairs = zip(self._features(a_N3HW), targets, strict=True)
        return torch.stack([(a - b).square().sum(1).mean() for a, b in pairs]).mean()

    def _features(self, x_N3HW: Tensor) -> list[Tensor]:
        return [F.normalize(x.float(), dim=1) for x in block_outputs(self.network, x_N3HW, STAGES)]


class Sharpener(nn.Module):
    """A VAE and its critic, trained by one loss: the critic's own reaches only the critic."""

    def __init__(self, vae: VAE, config: SharpenConfig) -> None:
        super().__init__()
        self.vae, self.config = vae, config
        self.critic = Critic(config.width)
        self.distance = FeatureDistance()

    def forward(self, x_BTHW3: Tensor, noise_BhwC: Tensor, corner: Tensor) -> tuple[Tensor, ...]:
        """What the VAE's forward gives, then three losses: of features, of the decoder before the critic, of the critic
        itself. `corner` i64 [2]: of the crop."""
        y, mean, logvar = self.vae(x_BTHW3, noise_BhwC)
        top, left = corner.tolist()
        made, recorded = (self._crop(frames, top, left) for frames in (y, x_BTHW3))
        features = self.distance(made[:, :3], recorded[:, :3])
        held = {name: weight.detach() for name, weight in self.critic.named_parameters()}
        caught = -functional_call(self.critic, held, made).float().mean()
        wrong = F.relu(1 - self.critic(recorded).float()).mean() + F.relu(1 + self.critic(made.detach()).float()).mean()
        return y, mean, logvar, features, caught, wrong

    def total(self, y: Tensor, pixels: Tensor, features: Tensor, caught: Tensor, wrong: Tensor) -> Tensor:
        """The loss of one step; `pixels` is the loss of pixels and `y` the picture whose gradients are compared."""
        size, *sizes = (
            torch.autograd.grad(loss, y, retain_graph=True)[0].norm() for loss in (pixels, features, caught)
        )
        shares = [share * size / other.clamp(min=1e-12) for share, other in zip(self.config.shares, sizes, strict=True)]
        total: Tensor = pixels + shares[0] * features + shares[1] * caught + wrong
        return total

    def _crop(self, frames_BTHW3: Tensor, top: int, left: int) -> Tensor:
        side = self.config.crop
        crop = frames_BTHW3[:, :, top : top + side, left : left + side]
        return crop.permute(0, 1, 4, 2, 3).flatten(1, 2)
