"""The right modules of the four tasks. Each is cut into methods, so that a misconception changes one."""

from typing import Any

import torch
from torch import Tensor, nn


def conv(
    inputs: int, filters: int, kernel: int, *, padding: int | None = None, bias: bool = True
) -> nn.Conv2d:
    """A CONV that keeps the size unless told otherwise."""
    padding = kernel // 2 if padding is None else padding
    return nn.Conv2d(inputs, filters, kernel, padding=padding, bias=bias)


class Inception(nn.Module):
    """The reference; misconceptions change one of its methods."""

    def __init__(
        self, in_channels: int, f1: int, f3_in: int, f3: int, f5_in: int, f5: int, pool: int
    ) -> None:
        super().__init__()
        self.arms = nn.ModuleList(
            self.arm(*arm)
            for arm in (
                [conv(in_channels, f1, 1)],
                self.costly(in_channels, f3_in, f3, 3),
                self.costly(in_channels, f5_in, f5, 5),
                self.pooled(in_channels, pool),
            )
        )

    def costly(self, inputs: int, reduced: int, filters: int, kernel: int) -> list[nn.Module]:
        return [conv(inputs, reduced, 1), conv(reduced, filters, kernel)]

    def pooled(self, inputs: int, filters: int) -> list[nn.Module]:
        return [nn.MaxPool2d(3, stride=1, padding=1), conv(inputs, filters, 1)]

    def arm(self, *layers: nn.Module) -> nn.Sequential:
        """RELU behind each CONV."""
        chain: list[nn.Module] = []
        for layer in layers:
            chain += [layer, nn.ReLU()] if isinstance(layer, nn.Conv2d) else [layer]
        return nn.Sequential(*chain)

    def join(self, outs: list[Tensor]) -> Tensor:
        return torch.cat(outs, dim=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.join([arm(x) for arm in self.arms])


class Fire(nn.Module):
    """The reference; misconceptions change one of its methods."""

    def __init__(self, in_channels: int, squeeze: int, expand1: int, expand3: int) -> None:
        super().__init__()
        self.squeeze, self.one, self.three = self.layers(in_channels, squeeze, expand1, expand3)

    def layers(self, inputs: int, squeeze: int, one: int, three: int) -> list[nn.Module]:
        return [conv(inputs, squeeze, 1), conv(squeeze, one, 1), conv(squeeze, three, 3)]

    def join(self, outs: list[Tensor]) -> Tensor:
        return torch.cat(outs, dim=1)

    def forward(self, x: Tensor) -> Tensor:
        thin = torch.relu(self.squeeze(x))
        return self.join([torch.relu(self.one(thin)), torch.relu(self.three(thin))])


class ResNetBuilder:
    """The reference; misconceptions change one of its methods or settings."""

    bias = False
    strides_first = 1  # of the first unit of the first stage
    max_pool = True

    def stem(self, width: int) -> list[nn.Module]:
        found: list[nn.Module] = [
            nn.Conv2d(3, width, 7, stride=2, padding=3, bias=self.bias),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        ]
        return [*found, nn.MaxPool2d(3, stride=2, padding=1)] if self.max_pool else found

    def stride(self, stage: int, unit: int) -> int:
        if unit:
            return 1
        return 2 if stage else self.strides_first

    def depth(self, before: int, width: int, stage: int, unit: int) -> int:
        """What a block reads."""
        return before

    def stage(self, block: Any, sizes: list[tuple[int, int, int]]) -> list[nn.Module]:
        return [block(*size) for size in sizes]

    def head(self, depth: int, classes: int) -> list[nn.Module]:
        return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(depth, classes)]

    def network(self, stem: list, blocks: list, head: list) -> nn.Module:
        return nn.Sequential(*stem, *blocks, *head)

    def __call__(
        self, block: Any, units: tuple[int, ...], classes: int = 1000, width: int = 64
    ) -> nn.Module:
        blocks, depth = [], width
        for stage, number in enumerate(units):
            filters, sizes = width * 2**stage, []
            for unit in range(number):
                depth = self.depth(depth, width, stage, unit)
                sizes.append((depth, filters, self.stride(stage, unit)))
                depth = filters
            blocks += self.stage(block, sizes)
        return self.network(self.stem(width), blocks, self.head(depth, classes))


resnet = ResNetBuilder()
