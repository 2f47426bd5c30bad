"""What the training loop is given: checked, with words that help, and made ready for a network."""

from typing import Any

import numpy as np

from cnnlib.errors import CnnlibError, DtypeError, RangeError, ShapeError
from cnnlib.reference.network import Network as NumpyNetwork
from cnnlib.shapes import whole
from cnnlib.training.numpy_trainer import NumpyTrainer
from cnnlib.training.optimizers import SGD, Adam, Optimizer
from cnnlib.training.schedules import Constant, Cosine, StepDown

__all__ = [
    "Pair",
    "as_floats",
    "check_kinds",
    "check_network",
    "check_shares",
    "checked_images",
    "trainer_for",
]

Pair = tuple[np.ndarray, np.ndarray]

TORCH_DEFAULTS = {
    "device": "cpu",
    "precision": "float32",
    "channels_last": False,
    "compile": False,
    "accumulate": 1,
    "distributed": False,
}


def trainer_for(network: Any, optimizer: Optimizer, options: dict[str, Any]) -> Any:
    """The trainer of the network's library, with torch's options checked."""
    for name, value in options.items():
        if name not in TORCH_DEFAULTS:
            raise RangeError(
                f"{name}={value!r} is no argument: those for torch are {', '.join(TORCH_DEFAULTS)}."
            )
        if isinstance(network, NumpyNetwork) and value != TORCH_DEFAULTS[name]:
            raise RangeError(
                f"{name}={value!r} is for torch, and this is a network of NumPy, which computes in one "
                'process on the CPU: build the network with backend="torch", or leave '
                f"{name} out."
            )
    if isinstance(network, NumpyNetwork):
        return NumpyTrainer(network, optimizer)
    whole("accumulate", options.get("accumulate", 1), 1)
    from cnnlib.training.torch_trainer import TorchTrainer

    return TorchTrainer(network, optimizer, **options)


def as_floats(images: np.ndarray, dtype: str) -> np.ndarray:
    """Images in a network's dtype; uint8 from 0 to 255 become 0 to 1."""
    if images.dtype == np.uint8:
        return images.astype(dtype) / np.dtype(dtype).type(255)
    return np.ascontiguousarray(images, dtype)


def checked_images(name: str, data: Any, network: Any) -> Pair:
    """Images and labels that fit each other and the network, or an error that says what does not."""
    try:
        images, labels = (np.asarray(part) for part in data)
    except (TypeError, ValueError) as error:
        raise ShapeError(
            f"{name} is not a pair of arrays ({error}): give (images, labels)."
        ) from error
    shape = tuple(network.plan.in_shape)
    if images.shape[1:] != shape:
        hint = ""
        if images.shape[1:] == shape[1:] and shape[0] == 1:
            hint = " Add the axis of the channel, images[:, None]."
        raise ShapeError(
            f"{name} has images of shape {images.shape}, expected {('N', *shape)}: the network was built "
            f"for this size.{hint or ' Build another one with input_shape.'}"
        )
    if images.dtype != np.uint8 and images.dtype.kind != "f":
        raise DtypeError(
            f"{name} has images of dtype {images.dtype}: floats are taken as they are, and uint8 divided "
            "by 255. Convert with images.astype(np.float32)."
        )
    if labels.shape != (len(images),) or not len(labels):
        raise ShapeError(
            f"{name} has {len(images)} images and labels of shape {labels.shape}: there must be one for "
            "each, and at least one."
        )
    if labels.dtype.kind not in "iu":
        raise DtypeError(
            f"{name} has labels of dtype {labels.dtype}: class indices are integers. Convert with "
            "labels.astype(np.int64), or one-hot rows with labels.argmax(axis=1)."
        )
    classes = network.plan.out_shape[0]
    if labels.min() < 0 or labels.max() >= classes:
        wrong = int(np.flatnonzero((labels < 0) | (labels >= classes))[0])
        raise RangeError(
            f"{name} has label {labels[wrong]} at {wrong}: the network has {classes} outputs, so labels run "
            f"from 0 to {classes - 1}. Count classes from 0, or widen the last layer."
        )
    return images, labels.astype(np.int64)


def check_network(network: Any) -> None:
    """Refuse what :func:`cnnlib.diagram.build` did not make, and what does not end in scores."""
    if not hasattr(network, "plan") or not hasattr(network, "load_arrays"):
        raise CnnlibError(
            f"network={type(network).__name__} is no network of cnnlib: make it with "
            "cnnlib.diagram.build(text, backend=…)."
        )
    last = network.plan.steps[-1] if network.plan.steps else None
    if getattr(last, "kind", "") == "SOFTMAX":
        raise CnnlibError(
            "network ends in SOFTMAX, which the loss includes already: it would be taken twice. "
            "Leave SOFTMAX out of the diagram that is trained; the weights are the same without it."
        )
    if len(network.plan.out_shape) != 1:
        raise ShapeError(
            f"network gives {('N', *network.plan.out_shape)}, expected (N, classes): end the diagram in "
            "FC(classes), or in CONV(classes) => GAP."
        )


def check_kinds(optimizer: Any, schedule: Any) -> None:
    """Refuse an optimizer or a schedule of another kind, a torch one for instance."""
    if not isinstance(optimizer, SGD | Adam):
        raise CnnlibError(
            f"optimizer={optimizer!r} is not one of this package: give SGD(…) or Adam(…) from "
            "cnnlib.training; both run on both libraries."
        )
    if not isinstance(schedule, Constant | StepDown | Cosine):
        raise CnnlibError(
            f"schedule={schedule!r} is not one of this package: give Constant(…), StepDown(…) or "
            "Cosine(…) from cnnlib.training."
        )


def check_shares(processes: int, n: int, batch_size: int) -> None:
    """Refuse batches with fewer images than there are processes."""
    smallest = min(batch_size, n % batch_size or batch_size)
    if smallest < processes:
        raise RangeError(
            f"batch_size={batch_size} cuts {n} images so that a batch has {smallest}, fewer than the "
            f"{processes} processes that share it: change batch_size, or leave {smallest} images out."
        )
