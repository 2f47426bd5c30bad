"""Layers that hold weights or state, as ``torch.nn`` modules that exchange them with NumPy.

They are torch's own modules, so optimizers, ``state_dict``, ``.to(device)``, autocast and
``channels_last`` work as ever. :class:`Arrays` adds the way from and to the arrays that the functions
of :mod:`cnnlib.reference` take::

    layer = Conv2d(3, 16, 3, padding=1)
    arrays = layer.to_arrays()            # {"weight": (16, 3, 3, 3), "bias": (16,)}
    out = conv2d(x, **arrays, padding=1)  # the reference layer, with the same weights
    layer.load_arrays(arrays)

In a :class:`Sequential` the names carry the layer's place: ``"0.weight"``, ``"2.gamma"``.
Layers without state need no class: call the functions, or ``torch.nn``'s own modules.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from cnnlib.errors import ShapeError
from cnnlib.pytorch.dropout import dropout

__all__ = ["Arrays", "BatchNorm", "Conv2d", "Dropout", "Linear", "Sequential"]

BATCH_NORM_NAMES = {"weight": "gamma", "bias": "beta"}


class Arrays(nn.Module):
    """A module whose weights and running statistics come and go as NumPy arrays."""

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Copies of all weights and running statistics, by the reference layers' argument names.

        Returns
        -------
        dict of arrays
            In standard memory order, on the CPU; float64 for float64 weights, else float32.
        """
        return {name: _to_array(tensor) for name, tensor in self._tensors().items()}

    def load_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take over weights and running statistics; device, dtype and memory format stay.

        Parameters
        ----------
        arrays : mapping of names to arrays
            The names and shapes that :meth:`to_arrays` gives.

        Raises
        ------
        ShapeError
            If a name is missing or unknown, or an array has another shape; then nothing is loaded.
        """
        tensors = self._tensors()
        if arrays.keys() != tensors.keys():
            missing, unknown = tensors.keys() - arrays.keys(), arrays.keys() - tensors.keys()
            raise ShapeError(
                f"arrays lacks {sorted(missing) or 'nothing'} and has {sorted(unknown) or 'nothing'} "
                f"unknown to this {type(self).__name__}: the names must be {sorted(tensors)}."
            )
        for name, tensor in tensors.items():
            if np.shape(arrays[name]) != tuple(tensor.shape):
                raise ShapeError(
                    f"arrays[{name!r}] has shape {np.shape(arrays[name])}, expected "
                    f"{tuple(tensor.shape)}: build the module with the sizes of the arrays."
                )
        with torch.no_grad():
            for name, tensor in tensors.items():
                tensor.copy_(torch.from_numpy(np.array(arrays[name], order="C")))

    def _tensors(self) -> dict[str, Tensor]:
        """Parameters and floating buffers of this module and all inside it, under reference names."""
        found = {}
        for place, module in self.named_modules():
            named = (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False))
            rename = BATCH_NORM_NAMES if isinstance(module, _BatchNorm) else {}
            for name, tensor in named:
                if tensor.is_floating_point():  # not torch's counter of batches
                    found[f"{place}.{rename.get(name, name)}".lstrip(".")] = tensor
        return found


def _to_array(tensor: Tensor) -> np.ndarray:
    plain = tensor if tensor.dtype == torch.float64 else tensor.float()
    return np.array(plain.numpy(force=True), order="C")


class Conv2d(Arrays, nn.Conv2d):
    """:class:`torch.nn.Conv2d` with arrays ``weight`` and, if it has one, ``bias``."""


class Linear(Arrays, nn.Linear):
    """:class:`torch.nn.Linear` with arrays ``weight`` and, if it has one, ``bias``."""


class BatchNorm(Arrays, nn.BatchNorm2d):
    """Batch normalization for (N, C) and (N, C, H, W), where torch has two classes.

    Its arrays are ``gamma``, ``beta``, ``running_mean`` and ``running_var``. In the ``state_dict``
    the first two are called ``weight`` and ``bias``, as in torch.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in (2, 4):
            raise ShapeError(
                f"input has shape {tuple(input.shape)}, {input.dim()} axes: this layer needs (N, C) or "
                "(N, C, H, W). Flatten the features or add the missing axis."
            )


class Dropout(nn.Dropout):
    """:class:`torch.nn.Dropout` that can draw from a generator of its own.

    Parameters
    ----------
    p : float
        Probability of dropping, 0 ≤ p < 1.
    rng : torch.Generator, optional
        On the device of the input; without it torch's global generator is used.
    """

    def __init__(self, p: float = 0.5, rng: torch.Generator | None = None) -> None:
        super().__init__(p)
        self.rng = rng

    def forward(self, input: Tensor) -> Tensor:
        return dropout(input, self.p, training=self.training, rng=self.rng)


class Sequential(Arrays, nn.Sequential):
    """:class:`torch.nn.Sequential` whose layers' arrays are named by place, ``"0.weight"`` and so on."""
