"""A network of torch modules made by :func:`cnnlib.diagram.build`, the counterpart of
:mod:`cnnlib.reference.network`.

It is an ordinary ``nn.Module``: move it with ``.to(device)``, compile it with ``torch.compile``, hand
its ``parameters()`` to an optimizer. Dropout draws from torch's global generator. Under
``torch.device("meta")`` it is built without numbers, to check the sizes of a large network.
"""

import os
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnlib.diagram import weights
from cnnlib.diagram.plan import Plan, Split, Step
from cnnlib.errors import ShapeError
from cnnlib.pytorch import activation
from cnnlib.pytorch.linear import flatten
from cnnlib.pytorch.modules import Arrays, BatchNorm, Conv2d, Linear
from cnnlib.pytorch.pool import avg_pool2d, global_avg_pool2d, max_pool2d

__all__ = ["Network"]


class Network(Arrays):
    """A diagram that runs on torch; names and shapes of the arrays are those of the NumPy network.

    Parameters
    ----------
    plan : Plan
        From :func:`cnnlib.diagram.plan.plan`; :func:`cnnlib.diagram.build` makes both at once.
    seed : int
        For the first weights, which are those of the NumPy network with the same seed.
    dtype : "float32" or "float64"
    """

    def __init__(self, plan: Plan, *, seed: int = 0, dtype: Any = "float32") -> None:
        super().__init__()
        self.plan = plan
        name = weights.dtype_name(dtype)
        options = {"device": torch.get_default_device(), "dtype": getattr(torch, name)}
        for step in plan.layers():
            module = _module(step, options)
            if module is not None:
                self.add_module(step.name, module)
        if options["device"].type != "meta":
            self.load_arrays(weights.initial(plan, seed, name))

    def forward(self, x: Tensor) -> Tensor:
        """Run a batch, (N, C, H, W) or (N, D), through the network."""
        if tuple(x.shape[1:]) != self.plan.in_shape:
            raise ShapeError(
                f"x has shape {tuple(x.shape)}, expected {('N', *self.plan.in_shape)}: the network was "
                "built for this size; build another one with input_shape."
            )
        return self._chain(self.plan.steps, x)

    def gradients(self) -> dict[str, np.ndarray]:
        """Gradients after ``backward()``, as arrays by the names of :meth:`to_arrays`."""
        return {
            name: tensor.grad.numpy(force=True).copy()
            for name, tensor in self._tensors().items()
            if tensor.grad is not None
        }

    def save(self, path: str | os.PathLike) -> None:
        """Write weights and running statistics into a ``.safetensors`` file."""
        weights.save(path, self.to_arrays())

    def load(self, path: str | os.PathLike) -> None:
        """Read a file that this network or the one of :mod:`cnnlib.reference.network` saved."""
        self.load_arrays(weights.load(path))

    # --- parts ----------------------------------------------------------------------------------

    def _chain(self, steps: tuple[Step | Split, ...], x: Tensor) -> Tensor:
        for step in steps:
            x = self._split(step, x) if isinstance(step, Split) else self._layer(step, x)
        return x

    def _split(self, split: Split, x: Tensor) -> Tensor:
        outs = [self._chain(arm, x) for arm in split.arms]
        return torch.cat(outs, 1) if split.join == "concat" else sum(outs[1:], start=outs[0])

    def _layer(self, step: Step, x: Tensor) -> Tensor:
        layer, window = step.layer, step.window
        if step.kind == "CONV":
            assert window is not None
            if not window.symmetric:  # the layer pads both sides alike, so this one pads here
                (top, bottom), (left, right) = window.padding
                x = functional.pad(x, (left, right, top, bottom))
            return getattr(self, step.name)(x)
        if step.kind == "FC":
            return getattr(self, step.name)(flatten(x))
        if step.kind == "BN":
            return getattr(self, step.name)(x)
        if step.kind == "POOL":
            assert window is not None
            pool = avg_pool2d if layer.get("mode") == "avg" else max_pool2d
            padding = (window.padding[0][0], window.padding[1][0])
            return pool(
                x, window.kernel, stride=window.stride, padding=padding, rounding=window.rounding
            )
        if step.kind == "GAP":
            return global_avg_pool2d(x)
        if step.kind == "DO":
            return functional.dropout(x, layer.get("p"), self.training)
        if step.kind == "LRELU":
            return activation.leaky_relu(x, layer.get("slope"))
        if step.kind == "ELU":
            return activation.elu(x, layer.get("alpha"))
        if step.kind == "SOFTMAX":
            return activation.softmax(x)
        assert step.kind in ("RELU", "ACT"), step.kind
        return activation.relu(x)


def _module(step: Step, options: dict[str, Any]) -> nn.Module | None:
    """The module that holds the layer's weights, with room for them and no numbers yet."""
    skip_init = nn.utils.skip_init
    if step.kind == "CONV":
        assert step.window is not None
        window = step.window
        return skip_init(
            Conv2d,
            step.in_shape[0],
            step.out_shape[0],
            window.kernel,
            stride=window.stride,
            padding=(window.padding[0][0], window.padding[1][0]) if window.symmetric else 0,
            dilation=window.dilation,
            groups=step.layer.get("groups"),
            bias="bias" in step.arrays,
            **options,
        )
    if step.kind == "FC":
        units, features = step.arrays["weight"]
        return skip_init(Linear, features, units, bias="bias" in step.arrays, **options)
    if step.kind == "BN":
        eps, momentum = step.layer.get("eps"), step.layer.get("momentum")
        return BatchNorm(step.in_shape[0], eps, momentum, **options)
    return None
