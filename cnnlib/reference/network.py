"""A network of reference layers, forward and backward, made by :func:`cnnlib.diagram.build`.

Going forward, each layer hands on its output and leaves behind a function that knows the way back.
The backward pass calls these functions in reverse: each turns the gradient of its output into the
gradient of its input and notes the gradients of its weights. Where branches leave the same volume,
their gradients are added: a change there changes the loss along every one of them.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from cnnlib.diagram import weights
from cnnlib.diagram.plan import Plan, Split, Step
from cnnlib.errors import CnnlibError
from cnnlib.reference import activation
from cnnlib.reference.arguments import expect_shape, float_array, output_gradient
from cnnlib.reference.conv import conv2d_backward, conv2d_forward
from cnnlib.reference.dropout import dropout_backward, dropout_forward
from cnnlib.reference.linear import (
    flatten_backward,
    flatten_forward,
    linear_backward,
    linear_forward,
)
from cnnlib.reference.norm import batch_norm_backward, batch_norm_forward
from cnnlib.reference.pool import (
    avg_pool2d_backward,
    avg_pool2d_forward,
    global_avg_pool2d_backward,
    global_avg_pool2d_forward,
    max_pool2d_backward,
    max_pool2d_forward,
)

__all__ = ["Network"]

Gradients = dict[str, np.ndarray]
Back = Callable[[np.ndarray, Gradients], np.ndarray]
"""From the gradient of an output to that of the input; gradients of weights go into the dictionary."""


class Network:
    """A diagram that runs on NumPy.

    Parameters
    ----------
    plan : Plan
        From :func:`cnnlib.diagram.plan.plan`; :func:`cnnlib.diagram.build` makes both at once.
    seed : int
        For the first weights and for dropout.
    dtype : "float32" or "float64"

    Attributes
    ----------
    training : bool
        Whether BN takes the batch's statistics and DO drops; :meth:`train` and :meth:`eval` set it.
    """

    def __init__(self, plan: Plan, *, seed: int = 0, dtype: Any = "float32") -> None:
        self.plan, self.dtype = plan, weights.dtype_name(dtype)
        self.training = True
        self.rng = np.random.default_rng(seed)
        self._arrays = weights.initial(plan, seed, self.dtype)
        self._back: Back | None = None
        self._out_shape: tuple[int, ...] = ()

    # --- running --------------------------------------------------------------------------------

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Run a batch through the network.

        Parameters
        ----------
        x : (N, C, H, W) or (N, D) array
            In the network's dtype and with the sizes it was built for.

        Returns
        -------
        array
            One output for each image.
        """
        float_array("x", x, "N C H W" if len(self.plan.in_shape) == 3 else "N D")
        rule = "the network was built for this size; build another one with input_shape."
        expect_shape("x", x, (len(x), *self.plan.in_shape), rule)
        out, self._back = self._chain(self.plan.steps, x)
        self._out_shape = out.shape
        return out

    def backward(self, dout: np.ndarray) -> Gradients:
        """Gradients of a loss, for the batch of the last call.

        Parameters
        ----------
        dout : array
            Gradient of the loss with respect to the output.

        Returns
        -------
        dict of str to array
            By the names of :meth:`parameters`, and as ``"input"`` the gradient of the batch itself.

        Raises
        ------
        CnnlibError
            If the network has not been called yet.
        """
        if self._back is None:
            raise CnnlibError(
                "backward has no forward pass to go back on: call the network with a batch first."
            )
        gradients: Gradients = {}
        dout = output_gradient(dout, self._out_shape, np.dtype(self.dtype))
        dx = self._back(dout, gradients)
        return {name: gradients[name] for name in self.parameters()} | {"input": dx}

    def train(self, mode: bool = True) -> "Network":
        """Take the batch's statistics in BN, and drop in DO."""
        self.training = mode
        return self

    def eval(self) -> "Network":
        """Take the running statistics in BN, and drop nothing."""
        return self.train(False)

    # --- weights --------------------------------------------------------------------------------

    def parameters(self) -> dict[str, np.ndarray]:
        """What is learned, by name; the arrays themselves, so an optimizer can change them in place."""
        return {
            f"{step.name}.{name}": self._arrays[f"{step.name}.{name}"]
            for step in self.plan.layers()
            for name in step.arrays
        }

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Copies of all weights and running statistics, by name."""
        return {name: array.copy() for name, array in self._arrays.items()}

    def load_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take over weights and running statistics, by the names that :meth:`to_arrays` gives.

        Raises
        ------
        ShapeError
            If a name is missing or unknown, or an array has another shape; then nothing is loaded.
        """
        self._arrays = weights.checked(arrays, weights.shapes_of(self.plan), self.dtype)

    def save(self, path: str | os.PathLike) -> None:
        """Write weights and running statistics into a ``.safetensors`` file."""
        weights.save(path, self._arrays)

    def load(self, path: str | os.PathLike) -> None:
        """Read a file that this network or the one of :mod:`cnnlib.pytorch.network` saved."""
        self.load_arrays(weights.load(path))

    # --- parts ----------------------------------------------------------------------------------

    def _chain(self, steps: tuple[Step | Split, ...], x: np.ndarray) -> tuple[np.ndarray, Back]:
        backs = []
        for step in steps:
            x, back = self._split(step, x) if isinstance(step, Split) else self._layer(step, x)
            backs.append(back)

        def back_through(dout: np.ndarray, gradients: Gradients) -> np.ndarray:
            for back in reversed(backs):
                dout = back(dout, gradients)
            return dout

        return x, back_through

    def _split(self, split: Split, x: np.ndarray) -> tuple[np.ndarray, Back]:
        outs, backs = zip(*(self._chain(arm, x) for arm in split.arms), strict=True)
        ends = np.cumsum([out.shape[1] for out in outs])[:-1]
        concat = split.join == "concat"

        def back(dout: np.ndarray, gradients: Gradients) -> np.ndarray:
            douts = np.split(dout, ends, axis=1) if concat else [dout] * len(backs)
            first, *others = (b(d, gradients) for b, d in zip(backs, douts, strict=True))
            for dx in others:
                first = first + dx
            return first

        return np.concatenate(outs, axis=1) if concat else sum(outs[1:], start=outs[0]), back

    def _layer(self, step: Step, x: np.ndarray) -> tuple[np.ndarray, Back]:
        layer = step.layer
        if step.kind == "CONV":
            return self._conv(step, x)
        if step.kind == "FC":
            return self._fc(step, x)
        if step.kind == "BN":
            return self._batch_norm(step, x)
        if step.kind == "POOL":
            assert step.window is not None
            window = step.window
            average = layer.get("mode") == "avg"
            forward = avg_pool2d_forward if average else max_pool2d_forward
            backward: Callable = avg_pool2d_backward if average else max_pool2d_backward
            out, cache = forward(
                x,
                window.kernel,
                stride=window.stride,
                padding=(window.padding[0][0], window.padding[1][0]),
                rounding=window.rounding,
            )
            return out, _without_weights(backward, cache)
        if step.kind == "GAP":
            out, cache = global_avg_pool2d_forward(x)
            return out, _without_weights(global_avg_pool2d_backward, cache)
        if step.kind == "DO":
            out, cache = dropout_forward(x, layer.get("p"), training=self.training, rng=self.rng)
            return out, _without_weights(dropout_backward, cache)
        if step.kind == "LRELU":
            out = activation.leaky_relu(x, layer.get("slope"))
            return out, _without_weights(activation.leaky_relu_backward, out, layer.get("slope"))
        if step.kind == "ELU":
            out = activation.elu(x, layer.get("alpha"))
            return out, _without_weights(activation.elu_backward, out, layer.get("alpha"))
        if step.kind == "SOFTMAX":
            out = activation.softmax(x)
            return out, _without_weights(activation.softmax_backward, out)
        assert step.kind in ("RELU", "ACT"), step.kind
        out = activation.relu(x)
        return out, _without_weights(activation.relu_backward, out)

    def _conv(self, step: Step, x: np.ndarray) -> tuple[np.ndarray, Back]:
        assert step.window is not None
        window = step.window
        (top, bottom), (left, right) = window.padding
        height, width = x.shape[2:]
        padding = (top, left)
        if (
            not window.symmetric
        ):  # the layer pads both sides alike: pad here, and cut on the way back
            x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
            padding = (0, 0)
        out, cache = conv2d_forward(
            x,
            self._arrays[f"{step.name}.weight"],
            self._arrays.get(f"{step.name}.bias"),
            stride=window.stride,
            padding=padding,
            dilation=window.dilation,
            groups=step.layer.get("groups"),
        )

        def back(dout: np.ndarray, gradients: Gradients) -> np.ndarray:
            dx, dweight, dbias = conv2d_backward(dout, cache)
            _note(gradients, step, weight=dweight, bias=dbias)
            if not window.symmetric:
                dx = dx[:, :, top : top + height, left : left + width]
            return dx

        return out, back

    def _fc(self, step: Step, x: np.ndarray) -> tuple[np.ndarray, Back]:
        flat, shape_cache = flatten_forward(x)
        out, cache = linear_forward(
            flat,
            self._arrays[f"{step.name}.weight"],
            self._arrays.get(f"{step.name}.bias"),
        )

        def back(dout: np.ndarray, gradients: Gradients) -> np.ndarray:
            dx, dweight, dbias = linear_backward(dout, cache)
            _note(gradients, step, weight=dweight, bias=dbias)
            return flatten_backward(dx, shape_cache)

        return out, back

    def _batch_norm(self, step: Step, x: np.ndarray) -> tuple[np.ndarray, Back]:
        names = [f"{step.name}.{name}" for name in (*step.arrays, *step.buffers)]
        (out, *running), cache = batch_norm_forward(
            x,
            *(self._arrays[name] for name in names),
            training=self.training,
            momentum=step.layer.get("momentum"),
            eps=step.layer.get("eps"),
        )
        self._arrays.update(zip(names[2:], running, strict=True))

        def back(dout: np.ndarray, gradients: Gradients) -> np.ndarray:
            dx, dgamma, dbeta = batch_norm_backward(dout, cache)
            _note(gradients, step, gamma=dgamma, beta=dbeta)
            return dx

        return out, back


def _without_weights(backward: Callable, *arguments: Any) -> Back:
    return lambda dout, gradients: backward(dout, *arguments)


def _note(gradients: Gradients, step: Step, **found: np.ndarray | None) -> None:
    gradients.update({f"{step.name}.{k}": v for k, v in found.items() if v is not None})
