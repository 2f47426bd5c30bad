"""What a dropout layer does with its own random numbers, put into words.

The words are the same for every right layer, however it draws, so they can be compared.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from cnnlib.checks.calls import Case, Outcome, describe, plain
from cnnlib.checks.inputs import Random, images, whole

__all__ = ["cases", "judge_words", "use"]


class _OddError(Exception):
    """A result that is no array of the right shape."""


def _array(result: Any, like: np.ndarray, method: str) -> np.ndarray:
    """A copy in float64, so that a layer may reuse its memory."""
    if not isinstance(result, np.ndarray):
        raise _OddError(f"{method} gave {describe(plain(result))[:40]} in place of an array")
    if result.shape != like.shape or result.dtype.kind != "f":
        raise _OddError(
            f"{method} gave an array of shape {result.shape}, {result.dtype}, for one of {like.shape}"
        )
    return np.array(result, np.float64)


def _forward(layer: Any, x: np.ndarray, training: bool = True) -> np.ndarray:
    return _array(layer.forward(x, training), x, "forward")


def _backward(layer: Any, dout: np.ndarray) -> np.ndarray:
    return _array(layer.backward(dout), dout, "backward")


def _factors(out: np.ndarray, x: np.ndarray) -> str:
    """What x was multiplied by, in words: "0 or 2"."""
    with np.errstate(all="ignore"):  # a layer may give infinities; what it warns of itself is shown
        ratios = out / x
    if not np.isfinite(ratios).all():
        return "something that is not finite"
    seen = [float(f"{ratio:.3g}") + 0.0 for ratio in np.unique(ratios)]
    few = [f"{ratio:g}" for ratio in dict.fromkeys(seen)]
    return " or ".join(few) if len(few) < 4 else f"{', '.join(few[:3])} and others"


def _values(layer: Any, x: np.ndarray, dout: np.ndarray) -> str:
    return f"numbers times {_factors(_forward(layer, x), x)}"


def _share(layer: Any, x: np.ndarray, dout: np.ndarray) -> str:
    share = np.mean(_forward(layer, x) == 0)
    return f"a share of about {share:.1f} is dropped"


def _fresh(layer: Any, x: np.ndarray, dout: np.ndarray) -> str:
    masks = [_forward(layer, x) == 0 for _ in range(3)]
    if not masks[0].any():
        return "nothing is dropped"
    repeated = (masks[0] == masks[1]).all() or (masks[1] == masks[2]).all()
    return "the same mask twice in a row" if repeated else "a new mask each time"


def _own(layer: Any, x: np.ndarray, dout: np.ndarray) -> str:
    mask = _forward(layer, x) == 0
    if not mask.any():
        return "nothing is dropped"
    for axis in range(x.ndim):
        if x.shape[axis] > 1 and (mask == mask.take([0], axis)).all():
            return f"one coin for all numbers along axis {axis}"
    return "a coin for each number"


def _same_mask(layer: Any, x: np.ndarray, dout: np.ndarray) -> str:
    first, last = _forward(layer, x) == 0, _forward(layer, -x) == 0
    blocked = _backward(layer, dout) == 0
    if (blocked == last).all():
        return "the mask of the last forward"
    if not blocked.any():
        return "no mask, every gradient passes"
    if (blocked == ~last).all():
        return "the gradient passes where the number was dropped"
    return "the mask of an earlier forward" if (blocked == first).all() else "another mask"


def _same_factor(layer: Any, x: np.ndarray, dout: np.ndarray) -> str:
    out = _forward(layer, x)
    dx = _backward(layer, dout)
    if not dx.any():
        return "no gradient passes"
    kept, passed = out != 0, dx != 0
    there, back = _factors(out[kept], x[kept]), _factors(dx[passed], dout[passed])
    if there == back:
        return "the factor of forward"
    return f"forward multiplies what it keeps by {there}, backward by {back}"


def _zero_inputs(layer: Any, x: np.ndarray, dout: np.ndarray) -> str:
    half = x.copy()
    half.reshape(-1)[::2] = 0
    _forward(layer, half)
    passes = (_backward(layer, dout).reshape(-1)[::2] != 0).any()
    return f"{'some' if passes else 'no'} gradients pass where the input is 0"


def _untouched(name: str, after: np.ndarray, before: np.ndarray) -> str:
    """What test time did. Whether there was a factor as well is another scene's matter."""
    if (after == 0).any():
        return f"some of {name} is dropped"
    factors = _factors(after, before)
    return f"{name} unchanged" if factors == "1" else f"{name} times {factors}"


def _at_test_time(layer: Any, x: np.ndarray, dout: np.ndarray) -> str:
    _forward(layer, x)
    return _untouched("x", _forward(layer, x, False), x)


def _back_at_test_time(layer: Any, x: np.ndarray, dout: np.ndarray) -> str:
    _forward(layer, x)
    _forward(layer, x, False)
    return _untouched("dout", _backward(layer, dout), dout)


def _types(layer: Any, x: np.ndarray, dout: np.ndarray) -> str:
    kinds = []
    for name, result in (("forward", layer.forward(x, True)), ("backward", layer.backward(dout))):
        _array(result, x, name)
        kinds.append(f"{result.dtype} from {name}")
    return " and ".join(kinds)


_LOOKS = {
    "forward": _values,
    "share dropped": _share,
    "three forwards": _fresh,
    "one forward": _own,
    "forward, forward, backward": _same_mask,
    "forward, backward": _same_factor,
    "zeros in x": _zero_inputs,
    "test time": _at_test_time,
    "test time, backward": _back_at_test_time,
    "types": _types,
}


def use(written: Any, x: np.ndarray, dout: np.ndarray, *, p: float, seed: int, scene: str) -> str:
    """Make a layer, play one scene with it, and say what was seen."""
    layer = written(p, seed)
    try:
        return _LOOKS[scene](layer, x, dout)
    except _OddError as odd:
        return str(odd)


def judge_words(case: Case, right: str, got: Outcome) -> str:
    if got.raised or got.timed_out or not isinstance(got.value, str):
        return f"expected: {right}; got {describe(got)}"
    return "" if got.value == right else f"expected: {right}; your layer: {got.value}"


# --- the inputs -----------------------------------------------------------------------------------


def cases(
    scene: str, *settings: tuple[tuple[int, ...], float, str]
) -> Callable[[Random], list[Case]]:
    """A maker of cases: a shape, a rate and a float type each."""

    def drawn(rng: Random) -> list[Case]:
        return [
            Case(
                {"x": images(rng, shape, dtype), "dout": images(rng, shape, dtype)},
                {"p": p, "seed": whole(rng, 0, 999), "scene": scene},
            )
            for shape, p, dtype in settings
        ]

    return drawn
