"""What the tests of training share: small pictures, small networks, one thread."""

import numpy as np
import pytest
import torch

from cnnlib.data import fashion_mnist_subset
from cnnlib.diagram import build
from tests.training.small import SMALL


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def clothes():
    """150 images of 14 × 14 to train and 60 to validate, uint8, with labels."""
    data = fashion_mnist_subset()
    x = np.ascontiguousarray(data.train_images[:210, None, ::2, ::2])
    return (x[:150], data.train_labels[:150]), (x[150:], data.train_labels[150:210])


@pytest.fixture
def network():
    """Makes a small network for a backend."""

    def make(backend, text=SMALL, **settings):
        return build(text, backend=backend, **settings)

    return make
