"""One step and one look at a network of NumPy; :mod:`cnnlib.training.torch_trainer` is the other one."""

from typing import Any

import numpy as np

from cnnlib.data.augment import Draws, augment
from cnnlib.reference.loss import softmax_cross_entropy_backward, softmax_cross_entropy_forward
from cnnlib.reference.network import Network
from cnnlib.training.nonfinite import bad_gradient, bad_loss
from cnnlib.training.optimizers import Optimizer, start, update

__all__ = ["NumpyTrainer"]


class NumpyTrainer:
    """What the loop asks of a backend, for :class:`cnnlib.reference.network.Network`."""

    world, rank = 1, 0

    def __init__(self, network: Network, optimizer: Optimizer) -> None:
        self.network, self.optimizer = network, optimizer
        self.dtype = network.dtype
        self.state = start(optimizer, network.parameters())

    def step(
        self,
        x: np.ndarray,
        labels: np.ndarray,
        draws: Draws | None,
        rate: float,
        chance: tuple[int, ...],
        when: tuple[int, int],
    ) -> tuple[float, int]:
        """One update on a batch.

        Parameters
        ----------
        x : (N, C, H, W) or (N, D) array, in the network's dtype
        labels : (N,) array of int64
        draws : Draws, optional
            For augmentation.
        rate : float
        chance : tuple of int
            The seed of this step's dropout.
        when : (int, int)
            Epoch and step, counted from 1, for messages.

        Returns
        -------
        loss : float
            Mean over the batch.
        right : int
            How many images were classified correctly.
        """
        x = augment(x, draws) if draws else x
        self.network.train().rng = np.random.default_rng(chance)
        with np.errstate(
            over="ignore", invalid="ignore"
        ):  # looked for below, and said with its place
            out = self.network(x)
            loss, cache = softmax_cross_entropy_forward(out, labels)
            if not np.isfinite(loss):
                raise bad_loss(self.network, x, float(loss), when, rate)
            gradients = self.network.backward(softmax_cross_entropy_backward(1.0, cache))
            del gradients["input"]
            finite = {name: bool(np.isfinite(g).all()) for name, g in gradients.items()}
            if not all(finite.values()):
                raise bad_gradient(self.network, finite, float(loss), when, rate)
            update(self.optimizer, self.network.parameters(), gradients, self.state, rate)
        return float(loss), int((out.argmax(1) == labels).sum())

    def evaluate(self, x: np.ndarray, labels: np.ndarray) -> tuple[float, int]:
        """Sum of the losses over the images, and how many are right; in evaluation mode."""
        with np.errstate(over="ignore", invalid="ignore"):
            out = self.network.eval()(x)
            loss, _ = softmax_cross_entropy_forward(out, labels)
        return float(loss) * len(x), int((out.argmax(1) == labels).sum())

    def given(self, x: np.ndarray) -> np.ndarray:
        """Images as the network takes them."""
        return x

    def agree(self) -> None:
        """Let all processes have the same running statistics: here there is one process."""

    def totals(self, *values: float) -> tuple[float, ...]:
        """Sums over all processes: here there is one."""
        return values

    def arrays(self) -> dict[str, np.ndarray]:
        """The state of the optimizer, by name."""
        return dict(self.state)

    def load(self, arrays: dict[str, np.ndarray], extra: dict[str, Any]) -> None:
        """Take over what :meth:`arrays` and :meth:`extra` gave."""
        self.state = {name: array.copy() for name, array in arrays.items()}

    def extra(self) -> dict[str, Any]:
        """The rest of the state, as JSON can hold it."""
        return {}

    def describe(self) -> dict[str, Any]:
        """What of the backend bears on the result, for checkpoints and records."""
        return {"backend": "numpy", "dtype": self.dtype}

    def __enter__(self) -> "NumpyTrainer":
        return self

    def __exit__(self, *error: object) -> None:
        self.network.train()
