"""Where a training left the finite numbers: in which layer, and what to try.

The NumPy and the torch network walk through their layers alike, so one search serves both.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from cnnlib.errors import NotFiniteError

__all__ = ["bad_gradient", "bad_loss"]

REMEDY = (
    "Lower the learning rate, warm it up, or put BN behind the layers; float64 tells whether numbers "
    "overflow."
)


def bad_loss(
    network: Any, x: Any, loss: float, when: tuple[int, int], rate: float
) -> NotFiniteError:
    """The error for a loss that is not finite: the images, the weights and the layers are searched.

    Parameters
    ----------
    network : Network of either library
        As it was in the forward pass.
    x : array or tensor
        The batch.
    loss : float
    when : (int, int)
        Epoch and step, counted from 1.
    rate : float
        The learning rate.
    """
    layer, what = _search(network, x)
    return _error(f"the loss is {loss}", layer, what, when, rate)


def bad_gradient(
    network: Any, gradients: Mapping[str, bool], loss: float, when: tuple[int, int], rate: float
) -> NotFiniteError:
    """The error for a gradient that is not finite, before it has changed any weight.

    `gradients` says for each name whether it is finite. On the way back the gradients of the last
    layers come first, so the last layer with a bad one is where it began.
    """
    order = [step.name for step in network.plan.layers()]
    bad = {name.rpartition(".")[0] for name, finite in gradients.items() if not finite}
    layer = max(bad, key=order.index, default="")
    what = "its gradient is the first on the way back that is not finite"
    return _error(f"a gradient is not finite (the loss is {loss:.6g})", layer, what, when, rate)


def _error(fact: str, layer: str, what: str, when: tuple[int, int], rate: float) -> NotFiniteError:
    epoch, step = when
    where = f"layer {layer}: {what}" if layer not in ("", "input") else what
    return NotFiniteError(
        f"{fact} in epoch {epoch}, step {step}, at a learning rate of {rate:.6g}; {where}. "
        + (REMEDY if layer != "input" else "Find and mend these images."),
        epoch,
        step,
        layer,
    )


def _search(network: Any, x: Any) -> tuple[str, str]:
    images = _array(x)
    finite = np.isfinite(images).reshape(len(images), -1).all(1)
    if not finite.all():
        return (
            "input",
            f"image {int(np.argmin(finite))} of the batch has values that are not finite",
        )
    kept = network.to_arrays()
    for step in network.plan.layers():
        for name in (*step.arrays, *step.buffers):
            if not np.isfinite(kept[f"{step.name}.{name}"]).all():
                return step.name, f"its {name} is not finite since the step before"
    found = _first_bad_output(network, x)
    network.load_arrays(kept)  # BN's running statistics saw the batch once more
    if found:
        return found, "it is the first that gives values that are not finite"
    return "", "all layers give finite values, so the loss itself overflowed"


def _first_bad_output(network: Any, x: Any) -> str:
    bad: list[str] = []
    original: Callable = network._layer

    def watched(step: Any, x: Any) -> Any:
        result = original(step, x)
        out = result[0] if isinstance(result, tuple) else result  # NumPy's comes with its way back
        if not bad and not np.isfinite(_array(out)).all():
            bad.append(step.name)
        return result

    network._layer = watched
    try:
        network(x)
    finally:
        del network._layer  # the class's own is seen again
    return bad[0] if bad else ""


def _array(x: Any) -> np.ndarray:
    return x if isinstance(x, np.ndarray) else x.detach().float().numpy(force=True)
