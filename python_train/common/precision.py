"""Where bfloat16 helps. A processor without bf16 instructions emulates them, 10 to 40 times slower than float32."""

import torch


def computes_bf16(device: torch.device) -> bool:
    """Whether the device has bf16 instructions."""
    return device.type == "cuda" or bool(torch.cpu._is_avx512_bf16_supported())


def autocast(device: torch.device) -> torch.autocast:
    """bf16 autocast where the device computes in bf16, else a context that changes nothing (float32)."""
    return torch.autocast(device.type, torch.bfloat16, enabled=computes_bf16(device))
