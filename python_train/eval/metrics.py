"""Picture metrics. Frames are uint8 `[...,H,W,3]`."""

import torch
import torch.nn.functional as F
from torch import Tensor


def psnr(a: Tensor, b: Tensor) -> Tensor:
    """PSNR in dB of each frame, `[...]`; 100 dB for equal frames."""
    error = (a.to(torch.float32) - b.to(torch.float32)).square().mean((-3, -2, -1))
    return 10 * torch.log10(255.0**2 / error.clamp(min=255.0**2 * 1e-10))


def ssim(a: Tensor, b: Tensor, window: int = 7) -> Tensor:
    """SSIM of each frame with a uniform window, `[...]` in [-1, 1] (Wang et al. 2004, K1 = 0.01, K2 = 0.03)."""
    x, y = (image.reshape(-1, *image.shape[-3:]).permute(0, 3, 1, 2).float() / 255 for image in (a, b))
    mean_x, mean_y = F.avg_pool2d(x, window, 1), F.avg_pool2d(y, window, 1)
    var_x = F.avg_pool2d(x * x, window, 1) - mean_x**2
    var_y = F.avg_pool2d(y * y, window, 1) - mean_y**2
    covariance = F.avg_pool2d(x * y, window, 1) - mean_x * mean_y
    structure = (2 * mean_x * mean_y + 1e-4) * (2 * covariance + 9e-4)
    similar = structure / ((mean_x**2 + mean_y**2 + 1e-4) * (var_x + var_y + 9e-4))
    return similar.mean((1, 2, 3)).reshape(a.shape[:-3])


def sharpness(image: Tensor, reference: Tensor) -> Tensor:
    """Gradient energy of `image` as a fraction of `reference`'s: 1 is as sharp, near 0 is blurred."""

    def energy(frames: Tensor) -> Tensor:
        x = frames.float()
        return x.diff(dim=-2).abs().mean() + x.diff(dim=-3).abs().mean()

    return energy(image) / energy(reference)
