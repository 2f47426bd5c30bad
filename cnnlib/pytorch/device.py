"""Where tensors live: a processor or a graphics card."""

import torch

__all__ = ["device"]


def device(name: str = "auto") -> torch.device:
    """The device called `name`; ``"auto"`` picks CUDA if there is one, else Apple's MPS, else the CPU.

    >>> device("cpu")
    device(type='cpu')
    """
    if name != "auto":
        return torch.device(name)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
