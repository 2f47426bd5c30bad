"""The summary of a diagram against torchinfo, which runs the built network to find its sizes."""

import statistics
import time
from collections.abc import Iterator

import torch
from timing import Case
from torchinfo import summary

from cnnlib.diagram.build import build
from cnnlib.diagram.summary import summarize
from cnnlib.diagram.zoo import resnet50

SECONDS_ALLOWED = 0.1


def cases() -> Iterator[Case]:
    network = build(resnet50, backend="torch").eval()

    def theirs():
        with torch.no_grad():
            summary(network, (1, 3, 224, 224), verbose=0)

    yield Case("summarize, to torchinfo", "ResNet-50", 1.0, lambda: summarize(resnet50), theirs)
    yield Case(
        "summarize, to 100 ms", "ResNet-50", 1.0, lambda: summarize(resnet50), theirs,
        lambda ours, _: _median_seconds(ours) / SECONDS_ALLOWED,
    )  # fmt: skip


def _median_seconds(function) -> float:
    times = []
    for _ in range(11):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
