"""How a module that a student wrote is built, given known weights, and run.

Every parameter and buffer gets values that depend on its shape and on the input alone. So it does not
matter what a student calls the layers, in which order they are made, or how they are grouped. Only
numbers and plain arrays come back.

This file goes along when a module is used in a student's own process, see :mod:`cnnlib.checks.errands`.
"""

import contextlib
import functools
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd
from torch.nn.parameter import is_lazy

__all__ = [
    "Fill",
    "built",
    "count",
    "draw",
    "fill",
    "is_conv",
    "quiet",
    "run",
    "run_array",
    "settle",
    "with_biases",
]

_FIRST = ("kaiming_uniform_", "uniform_")
Fill = Callable[[nn.Module, tuple[int, ...], int], np.ndarray]
"""``rule(owner, shape, seed)`` gives the values of a parameter or buffer."""


# torch raises a RuntimeError for nearly everything; these tell its reasons apart by their class


class StackingError(RuntimeError):
    """Maps of different height or width cannot be stacked along the depth."""


class AxisError(RuntimeError):
    """Volumes cannot be stacked along another axis than the depth."""


class NewAxisError(RuntimeError):
    """torch.stack puts volumes along a new axis, and wants them equal."""


class AddingError(RuntimeError):
    """Volumes of different shape cannot be added."""


class ChannelsError(RuntimeError):
    """A layer was built for another depth."""


class FeaturesError(RuntimeError):
    """An FC layer was built for another number of inputs."""


class UnregisteredError(RuntimeError):
    """A layer kept the type it was made with, so the module does not know of it."""


_KINDS: tuple[tuple[str, type[RuntimeError]], ...] = (
    ("must match except in dimension 1", StackingError),
    ("must match except in dimension", AxisError),
    ("stack expects each tensor", NewAxisError),
    ("The size of tensor a", AddingError),
    ("channels, but got", ChannelsError),
    ("should contain", ChannelsError),
    ("cannot be multiplied", FeaturesError),
    ("should be the same", UnregisteredError),
    ("mixed dtype", UnregisteredError),
    ("the same dtype", UnregisteredError),
)
_UNREGISTERED = (
    ". The check has set the whole module to the type of x, and this layer did not follow: is it made in "
    "forward, or kept in a plain Python list? Make it in __init__ and keep it in nn.ModuleList or "
    "nn.Sequential"
)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No gradients, one thread, no first weights, and torch afterwards as if nothing had happened.

    The volumes are so small that several threads would only wait for each other. First weights are not drawn,
    as known ones take their place.
    """
    threads, init = torch.get_num_threads(), {n: getattr(nn.init, n) for n in _FIRST}
    torch.set_num_threads(1)
    vars(nn.init).update(dict.fromkeys(_FIRST, lambda tensor, *_, **__: tensor))
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            yield
    finally:
        vars(nn.init).update(init)
        torch.set_num_threads(threads)


def built(written: Callable, *sizes: Any, **settings: Any) -> nn.Module:
    """The module that the student's class or function makes."""
    module = written(*sizes, **settings)
    if not isinstance(module, nn.Module):
        name = getattr(written, "__name__", "the call")
        raise TypeError(f"{name}(…) gave a {type(module).__name__}, not an nn.Module")
    return module


def run(module: nn.Module, x: Tensor) -> Tensor:
    """One pass; errors of torch come back under a telling name, with the student's line."""
    try:
        out = module(x)
    except NotImplementedError as error:
        if 'required "forward"' not in str(error):
            raise
        raise AttributeError(
            "the class has no method `forward`. Is the name right, and is it indented as __init__ is?"
        ) from None
    except RuntimeError as error:
        _translate(error)
    if not isinstance(out, Tensor):
        hint = ": is the return missing?" if out is None else ""
        raise TypeError(f"forward gave a {type(out).__name__}, not a tensor{hint}")
    return out


def _translate(error: RuntimeError) -> NoReturn:
    text = str(error)
    kind = next((kind for words, kind in _KINDS if words in text), None)
    if kind is None:
        raise error
    more = _UNREGISTERED if kind is UnregisteredError else ""
    raise kind(text.rstrip(".") + more).with_traceback(error.__traceback__) from None


def run_array(module: nn.Module, x: np.ndarray, rule: Fill) -> np.ndarray:
    """Fill the module by `rule` and run it in eval mode on `x`, in the type of `x`."""
    image = torch.from_numpy(x)  # the same memory, so that the check sees who changes its input
    module.to(image.dtype)
    settle(module, x.shape[1])
    module.eval()
    fill(module, rule, zlib.crc32(x.tobytes()))
    return run(module, image).numpy()


def count(module: nn.Module, channels: int) -> int:
    """How many numbers the module learns; what is used twice counts once."""
    settle(module, channels)
    return sum(parameter.numel() for parameter in module.parameters())


def settle(module: nn.Module, channels: int) -> None:
    """Let layers that wait for their first input (nn.LazyConv2d) make their weights."""
    waiting = [p for p in module.parameters() if is_lazy(p)]
    if waiting:
        with contextlib.suppress(Exception):  # what is wrong will show where it is looked for
            run(module, torch.zeros(2, channels, 16, 16, dtype=waiting[0].dtype))


def fill(module: nn.Module, rule: Fill, seed: int) -> None:
    """Set all parameters and all buffers that are floating-point numbers."""
    for owner in module.modules():
        own = (*owner.named_parameters(recurse=False), *owner.named_buffers(recurse=False))
        for _, tensor in own:
            if tensor.is_floating_point():
                tensor.copy_(torch.from_numpy(rule(owner, tuple(tensor.shape), seed)))
        if isinstance(owner, _BatchNorm):
            _after(owner, rule)


@functools.lru_cache(maxsize=256)
def draw(shape: tuple[int, ...], seed: int, low: float = 0.5, high: float = 1.5) -> np.ndarray:
    """Random numbers that depend on the shape and the seed alone."""
    return np.random.default_rng([seed, *shape]).uniform(low, high, shape)


def is_conv(owner: nn.Module) -> bool:
    return isinstance(owner, _ConvNd)


def with_biases(sign: int) -> Fill:
    """For blocks without batch norm: weights of one sign; biases negative too, or 0.

    A batch norm that should not be there is made to change nothing, so that it costs the count alone.
    """

    def rule(owner: nn.Module, shape: tuple[int, ...], seed: int) -> np.ndarray:
        if len(shape) > 1 or sign < 0:
            return sign * draw(shape, seed)
        return np.zeros(shape)

    rule.neutral = True  # type: ignore[attr-defined]
    return rule


def _after(norm: _BatchNorm, rule: Fill) -> None:
    if not getattr(rule, "neutral", False):
        return
    for tensor, value in (
        (norm.weight, 1.0),
        (norm.bias, 0.0),
        (norm.running_mean, 0.0),
        (norm.running_var, 1.0 - norm.eps),
    ):
        if tensor is not None:
            tensor.fill_(value)
