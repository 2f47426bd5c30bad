"""Task (b): a layer that remembers its mask.

It draws its own random numbers, in any way it likes. So the check does not compare numbers: it uses the
layer, looks at what its two methods multiplied by, and says that in words.
"""

import numpy as np

from cnnlib.checks.ch10_dropout.common import BRIEF, MASK, OLDER, SCALE
from cnnlib.checks.ch10_dropout.scenes import cases, judge_words, use
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import lost

# --- right and wrong layers -----------------------------------------------------------------------


class Layer:
    """The reference; the misconceptions change one method of it."""

    def __init__(self, p, seed):
        self.p = p
        self.rng = np.random.default_rng(seed)
        self.mask = None

    def keep(self, x):
        return self.rng.random(x.shape) >= self.p

    def draw(self, x):
        """The multipliers, in the type of x."""
        return (self.keep(x) / (1 - self.p)).astype(x.dtype)

    def forward(self, x, training):
        if not training:
            self.mask = None
            return x
        self.mask = self.draw(x)
        return x * self.mask

    def backward(self, dout):
        return dout if self.mask is None else dout * self.mask


class _NewMask(Layer):
    def backward(self, dout):
        return dout if self.mask is None else dout * self.draw(dout)


class _NoMask(Layer):
    def backward(self, dout):
        return dout


class _FactorOnly(Layer):
    def backward(self, dout):
        return dout if self.mask is None else dout / dout.dtype.type(1 - self.p)


class _GradientWithoutFactor(Layer):
    def backward(self, dout):
        return dout if self.mask is None else dout * (self.mask != 0)


class _OneMaskForEver(Layer):
    def __init__(self, p, seed):
        super().__init__(p, seed)
        self.seed = seed

    def draw(self, x):
        self.rng = np.random.default_rng(self.seed)
        return super().draw(x)


class _SharedMask(Layer):
    def keep(self, x):
        return np.broadcast_to(self.rng.random(x.shape[1:]) >= self.p, x.shape)


class _PKeeps(Layer):
    def draw(self, x):
        return ((self.rng.random(x.shape) < self.p) / np.float64(self.p)).astype(x.dtype)


class _NoFactor(Layer):
    def draw(self, x):
        return self.keep(x).astype(x.dtype)


class _DividedByP(Layer):
    def draw(self, x):
        return (self.keep(x) / np.float64(self.p)).astype(x.dtype)


class _MaskOfTheOutput(Layer):
    def forward(self, x, training):
        out = super().forward(x, training)
        if training:
            self.mask = ((out != 0) / (1 - self.p)).astype(x.dtype)
        return out


class _AlwaysTraining(Layer):
    def forward(self, x, training):
        return super().forward(x, True)


class _OldMask(Layer):
    def forward(self, x, training):
        return super().forward(x, training) if training else x


class _ScaledTwice(Layer):
    def forward(self, x, training):
        out = super().forward(x, training)
        return out if training else (out * (1 - self.p)).astype(x.dtype)


class _WideMask(Layer):
    def draw(self, x):
        return self.keep(x) / (1 - self.p)


def _reference(x, dout, *, p, seed, scene):
    return use(Layer, x, dout, p=p, seed=seed, scene=scene)


_B = {
    "values": "forward: 0 or x/(1 − p)",
    "share": "forward: a share p is dropped",
    "fresh": "forward: a new mask each time",
    "own": "forward: a coin for each number",
    "mask": "backward: the mask of the last forward",
    "factor": "backward: the factor of forward",
    "zeros": "backward: an input of 0 is not a dropped one",
    "test": "test time: forward",
    "test back": "test time: backward",
    "dtype": "float32 stays float32",
}
_F, _D = "float32", "float64"


def _part(name: str, scene: str, *settings: tuple, points: int = 1, hint: int = 0) -> Part:
    return Part(_B[name], points, cases(scene, *settings), judge_words, hint=hint)


_PARTS = (
    _part("values", "forward", ((4, 25), 0.5, _D), ((1, 90), 0.2, _F), ((3, 5), 0.0, _D)),
    _part("share", "share dropped", ((40, 101), 0.2, _D), ((2, 3, 25, 27), 0.7, _F)),
    _part("fresh", "three forwards", ((3, 41), 0.5, _D), ((2, 2, 5, 7), 0.25, _F), hint=2),
    _part("own", "one forward", ((5, 30), 0.5, _D), ((2, 3, 6, 5), 0.25, _F)),
    _part(
        "mask",
        "forward, forward, backward",
        ((3, 31), 0.5, _D),
        ((2, 3, 5, 4), 0.25, _F),
        points=2,
        hint=2,
    ),
    _part("factor", "forward, backward", ((3, 31), 0.5, _D), ((1, 60), 0.2, _F), hint=1),
    _part("zeros", "zeros in x", ((3, 41), 0.5, _D), ((2, 3, 5, 4), 0.25, _F), hint=3),
    _part("test", "test time", ((3, 30), 0.5, _D), ((2, 3, 5, 4), 0.2, _F)),
    _part("test back", "test time, backward", ((3, 30), 0.5, _D), ((2, 3, 5, 4), 0.2, _F), hint=3),
    _part("dtype", "types", ((3, 4), 0.5, _F), ((2, 3), 0.25, _D)),
)

LAYER = Task(
    "b",
    "a layer that remembers",
    "Dropout",
    _reference,
    drive=use,
    parts=_PARTS,
    misconceptions=(
        Misconception(
            "a new mask in the backward pass",
            _NewMask,
            "The gradient has to go the way that the numbers went. Keep the mask of the forward pass, in `self`, "
            "and use that one.",
            MASK,
            lost(_B, "mask"),
        ),
        Misconception(
            "no mask in the backward pass",
            _NoMask,
            "A number that was dropped had no say in the output, so its gradient is 0. One that was kept was "
            "multiplied by 1/(1 − p), and so is its gradient.",
            MASK,
            lost(_B, "mask", "factor"),
        ),
        Misconception(
            "only the factor in the backward pass",
            _FactorOnly,
            "The factor is right where the number was kept. Where it was dropped, nothing of it got through, and "
            "its gradient is 0.",
            MASK,
            lost(_B, "mask"),
        ),
        Misconception(
            "a gradient without the factor",
            _GradientWithoutFactor,
            "What is kept leaves as x times 1/(1 − p), and the derivative of that with respect to x is "
            "1/(1 − p).",
            MASK,
            lost(_B, "factor"),
        ),
        Misconception(
            "one mask for ever",
            _OneMaskForEver,
            "A mask that never changes is just a smaller network. Make the generator once, in `__init__`, and "
            "draw from it in each forward pass.",
            MASK,
            lost(_B, "fresh"),
        ),
        Misconception(
            "one mask for the whole batch",
            _SharedMask,
            "Each example has a mask of its own: one coin for each number of x, so the mask has the full shape "
            "of x.",
            MASK,
            lost(_B, "own"),
        ),
        Misconception(
            "p is read as the probability of keeping",
            _PKeeps,
            "Here, as in PyTorch, p is the probability of *dropping*, and what stays is divided by 1 − p.",
            OLDER,
            lost(_B, "values", "share"),
        ),
        Misconception(
            "no factor",
            _NoFactor,
            "What is kept is divided by 1 − p, so that the next layer gets as much as at test time, on average.",
            SCALE,
            lost(_B, "values"),
        ),
        Misconception(
            "divided by p",
            _DividedByP,
            "A share of 1 − p is kept, so one divides by 1 − p: then the average is x again.",
            SCALE,
            lost(_B, "values"),
        ),
        Misconception(
            "the mask is read off the output",
            _MaskOfTheOutput,
            "Behind a ReLU many inputs are 0. Such a number may well be kept, and then its gradient passes, "
            "although the output is 0. Remember the coins, not the result.",
            MASK,
            lost(_B, "zeros"),
        ),
        Misconception(
            "dropout at test time as well",
            _AlwaysTraining,
            "Without `training` nothing is drawn and nothing is cut: x comes out, and in the backward pass "
            "dout.",
            BRIEF,
            lost(_B, "test", "test back"),
        ),
        Misconception(
            "an old mask in the backward pass at test time",
            _OldMask,
            "Backward belongs to the *last* forward. If that one did nothing, the mask of an earlier one has to "
            "be forgotten.",
            MASK,
            lost(_B, "test back"),
        ),
        Misconception(
            "scaled twice",
            _ScaledTwice,
            "The older form multiplies by 1 − p at test time, because it does not scale in training. The "
            "inverted form has scaled already.",
            OLDER,
            lost(_B, "test"),
        ),
        Misconception(
            "a mask in float64",
            _WideMask,
            "A mask of booleans leaves float32 alone; divided by 1 − p it becomes a float64 array, and so does "
            "all that it touches.",
            BRIEF,
            lost(_B, "dtype"),
        ),
    ),
)
