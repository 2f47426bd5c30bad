"""Make ``cnnlib/data/fashion_mnist_subset.npz`` from the whole set: python -m tools.fashion_mnist_subset

The first 100 images of each class of the training files and the first 50 of the test files, in the order
of the files, so nothing was drawn by lot. The same set gives the same arrays.
"""

import numpy as np

from cnnlib.data.fashion_mnist import SUBSET, FashionMnist, fashion_mnist

EACH = {"train": 100, "test": 50}


def first_of_each_class(labels: np.ndarray, each: int) -> np.ndarray:
    """Where the first `each` images of every class are, in ascending order."""
    return np.sort(np.concatenate([np.flatnonzero(labels == c)[:each] for c in range(10)]))


def subset(whole: FashionMnist) -> dict[str, np.ndarray]:
    """The arrays of the bundled file; labels are bytes there."""
    train = first_of_each_class(whole.train_labels, EACH["train"])
    test = first_of_each_class(whole.test_labels, EACH["test"])
    return {
        "train_images": whole.train_images[train],
        "train_labels": whole.train_labels[train].astype(np.uint8),
        "test_images": whole.test_images[test],
        "test_labels": whole.test_labels[test].astype(np.uint8),
    }


if __name__ == "__main__":
    np.savez_compressed(SUBSET, **subset(fashion_mnist()))  # type: ignore[arg-type]
    print(f"{SUBSET}: {SUBSET.stat().st_size:,} bytes")
