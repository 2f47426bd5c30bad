"""Data sets and pictures, found on the machine, bundled or drawn; each in a module of its own."""

from cnnlib.data.cifar10 import CIFAR10_NAMES, Cifar10, cifar10
from cnnlib.data.fashion_mnist import CLASS_NAMES, FashionMnist, fashion_mnist, fashion_mnist_subset
from cnnlib.data.photograph import photograph
from cnnlib.data.shapes32 import SHAPE_NAMES, shapes32

__all__ = [
    "CIFAR10_NAMES",
    "CLASS_NAMES",
    "SHAPE_NAMES",
    "Cifar10",
    "FashionMnist",
    "cifar10",
    "fashion_mnist",
    "fashion_mnist_subset",
    "photograph",
    "shapes32",
]
