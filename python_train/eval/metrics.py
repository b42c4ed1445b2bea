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

    def mean(values: Tensor) -> Tensor:
        return F.avg_pool2d(F.avg_pool2d(values, (window, 1), 1), (1, window), 1)

    frames = (image.reshape(-1, *image.shape[-3:]).permute(0, 3, 1, 2) for image in (a, b))
    x, y = (image.to(torch.float32, memory_format=torch.contiguous_format) / 255 for image in frames)
    mean_x, mean_y = mean(x), mean(y)
    var_x = mean(x * x) - mean_x**2
    var_y = mean(y * y) - mean_y**2
    covariance = mean(x * y) - mean_x * mean_y
    structure = (2 * mean_x * mean_y + 1e-4) * (2 * covariance + 9e-4)
    similar = structure / ((mean_x**2 + mean_y**2 + 1e-4) * (var_x + var_y + 9e-4))
    return similar.mean((1, 2, 3)).reshape(a.shape[:-3])


def sharpness(image: Tensor, reference: Tensor) -> Tensor:
    """Gradient energy of `image` as a fraction of `reference`'s: 1 is as sharp, near 0 is blurred."""

    def energy(frames: Tensor) -> Tensor:
        x = frames.float()
        return x.diff(dim=-2).abs().mean() + x.diff(dim=-3).abs().mean()

    return energy(image) / energy(reference)
