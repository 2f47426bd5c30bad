"""The training loop on NumPy against the same loop on torch: the small CNN of the capstone, on clothes.

Ten steps of 64 images; an epoch on 10,000 images is 157 of them, so the ratio is the same.
"""

from collections.abc import Iterator

from timing import Case

from cnnlib.data import fashion_mnist_subset
from cnnlib.diagram import build
from cnnlib.training import SGD, fit

NETWORK = (
    "INPUT(1, 28, 28) => CONV(16) => RELU => BN => POOL => CONV(32) => RELU => BN => GAP => FC(10)"
)


def cases() -> Iterator[Case]:
    data = fashion_mnist_subset()
    images = data.train_images[:640, None], data.train_labels[:640]

    def epoch(backend):
        network = build(NETWORK, backend=backend)
        return lambda: fit(network, images, epochs=1, optimizer=SGD(0.01), progress=False)

    yield Case("training loop", "640 × 1 × 28 × 28, 10 steps", None, epoch("numpy"), epoch("torch"))
