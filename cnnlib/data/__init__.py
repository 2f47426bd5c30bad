"""Data sets, found on the machine or bundled; each in a module of its own."""

from cnnlib.data.fashion_mnist import CLASS_NAMES, FashionMnist, fashion_mnist, fashion_mnist_subset

__all__ = ["CLASS_NAMES", "FashionMnist", "fashion_mnist", "fashion_mnist_subset"]
