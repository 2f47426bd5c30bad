"""Data sets and pictures, found on the machine or bundled; each in a module of its own."""

from cnnlib.data.fashion_mnist import CLASS_NAMES, FashionMnist, fashion_mnist, fashion_mnist_subset
from cnnlib.data.photograph import photograph

__all__ = ["CLASS_NAMES", "FashionMnist", "fashion_mnist", "fashion_mnist_subset", "photograph"]
