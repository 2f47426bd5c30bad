"""The residual block: the right module of task (b), and what task (d) is given to build with."""

import torch
from torch import Tensor, nn


def conv3(inputs: int, filters: int, stride: int = 1, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(inputs, filters, 3, stride=stride, padding=1, bias=bias)


def project(inputs: int, filters: int, stride: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, filters, 1, stride=stride, bias=False), nn.BatchNorm2d(filters)]


class BasicBlock(nn.Module):
    """The reference; misconceptions change one of its methods."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.branch = nn.Sequential(*self.two_layers(in_channels, out_channels, stride))
        self.shortcut = nn.Sequential(*self.way_around(in_channels, out_channels, stride))

    def two_layers(self, inputs: int, filters: int, stride: int) -> list[nn.Module]:
        return [
            conv3(inputs, filters, stride),
            nn.BatchNorm2d(filters),
            nn.ReLU(),
            conv3(filters, filters),
            nn.BatchNorm2d(filters),
        ]

    def way_around(self, inputs: int, filters: int, stride: int) -> list[nn.Module]:
        return [] if inputs == filters and stride == 1 else project(inputs, filters, stride)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.branch(x) + self.shortcut(x))
