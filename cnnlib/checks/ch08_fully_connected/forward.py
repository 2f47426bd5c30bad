"""Task (a): the forward pass of an FC layer."""

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch08_fully_connected.common import SUM
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost, whole
from cnnlib.checks.judges import judge_array, judge_dtype, judge_shape
from cnnlib.reference import linear as reference

# Worked by hand: 3 + 0 − 2 = 1 and −2 + 0 + 0 = −2 without a bias.
_X = np.array([[1.0, 0.0, 2.0]])
_WEIGHT = np.array([[3.0, 1.0, -1.0], [-2.0, 4.0, 0.0]])


def _case(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    right: list | None = None,
    note: str = "by hand",
) -> Case:
    """A case with a bias of zeros where none is given, so that only one part is about the bias."""
    bias = np.zeros(len(weight), x.dtype) if bias is None else bias
    expected = None if right is None else np.array(right)
    return Case(
        {"x": x, "weight": weight, "bias": bias}, expected=expected, note=note if right else ""
    )


def _drawn(rng: Random, n: int, d: int, k: int, dtype: str = "float64") -> Case:
    return _case(images(rng, (n, d), dtype), images(rng, (k, d), dtype))


def _shape_cases(rng: Random) -> list[Case]:
    return [_drawn(rng, 2, 3, 5), _drawn(rng, 1, 6, 2, "float32")]


def _one_neuron_cases(rng: Random) -> list[Case]:
    return [
        _case(_X, _WEIGHT[:1], right=[[1.0]]),
        _case(_X, _WEIGHT[1:], right=[[-2.0]]),
        _drawn(rng, 1, whole(rng, 5, 8), 1, "float32"),
    ]


def _neuron_cases(rng: Random) -> list[Case]:
    return [
        _case(_X, _WEIGHT, right=[[1.0, -2.0]]),
        _drawn(rng, 1, 3, 3),
        _drawn(rng, 1, 4, whole(rng, 5, 7), "float32"),
    ]


def _batch_cases(rng: Random) -> list[Case]:
    return [
        _case(np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 3.0]]), _WEIGHT[:1], right=[[1.0], [-2.0]]),
        _drawn(rng, whole(rng, 3, 5), 4, 1),
    ]


def _bias_cases(rng: Random) -> list[Case]:
    x, weight = images(rng, (1, 1), "float32"), images(rng, (3, 1), "float32")
    return [
        _case(_X, _WEIGHT[1:], np.array([10.0]), right=[[8.0]]),
        _case(_X, _WEIGHT[:1], np.array([-10.0]), right=[[-9.0]]),
        _case(x, weight, images(rng, (3,), "float32")),
    ]


def _no_bias_cases(rng: Random) -> list[Case]:
    return [
        Case({"x": _X, "weight": _WEIGHT[1:]}, expected=np.array([[-2.0]]), note="by hand"),
        Case({"x": images(rng, (1, 4)), "weight": images(rng, (1, 4)), "bias": None}),
    ]


def _dtype_cases(rng: Random) -> list[Case]:
    one = _WEIGHT[1:]
    return [_case(_X.astype(dtype), one.astype(dtype)) for dtype in ("float32", "float64")]


def linear(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
    """The reference, in float64."""
    wide = [a if a is None else a.astype(np.float64) for a in (x, weight, bias)]
    return reference.linear(*wide)  # type: ignore[arg-type]


def _add(out, bias):
    return out if bias is None else out + bias


def _not_transposed(x, weight, bias=None):
    return _add(x @ weight, bias)


def _reshaped(x, weight, bias=None):
    return _add(x @ weight.reshape(weight.shape[::-1]), bias)


def _turned(x, weight, bias=None):
    return _add(x @ weight.T, bias).T


def _no_bias(x, weight, bias=None):
    return x @ weight.T


def _bias_at_every_product(x, weight, bias=None):
    return _add(x @ weight.T, None if bias is None else bias * np.array(x.shape[1], x.dtype))


def _bias_needed(x, weight, bias=None):
    return x @ weight.T + bias


def _mean(x, weight, bias=None):
    return _add(x @ weight.T / np.array(x.shape[1], x.dtype), bias)


def _first_image(x, weight, bias=None):
    out = _add(x @ weight.T, bias)
    out[1:] = 0
    return out


def _with_relu(x, weight, bias=None):
    return np.maximum(_add(x @ weight.T, bias), 0)


_P = {
    "shape": "the shape (N, K)",
    "one": "one neuron: a weighted sum",
    "neurons": "every neuron has its own row of weights",
    "batch": "every image of the batch",
    "bias": "the bias",
    "none": "no bias at all",
    "dtype": "float32 stays float32",
}

FORWARD = Task(
    "a",
    "an FC layer, forward",
    "linear",
    linear,
    parts=(
        Part(_P["shape"], 1, _shape_cases, judge_shape, hint=2),
        Part(_P["one"], 1, _one_neuron_cases, judge_array, hint=1),
        Part(_P["neurons"], 1, _neuron_cases, judge_array, hint=2),
        Part(_P["batch"], 1, _batch_cases, judge_array, hint=2),
        Part(_P["bias"], 1, _bias_cases, judge_array, hint=3),
        Part(_P["none"], 1, _no_bias_cases, judge_array, hint=3),
        Part(_P["dtype"], 1, _dtype_cases, judge_dtype, hint=3),
    ),
    misconceptions=(
        Misconception(
            "the weight is not transposed",
            _not_transposed,
            "`x @ weight` multiplies along the neurons. Each *row* of the weight belongs to one neuron, so it "
            "is row times row: the second factor has to be turned.",
            SUM,
            frozenset(_P.values()),
        ),
        Misconception(
            "reshape in place of a transposition",
            _reshaped,
            "`reshape` keeps the order of the numbers and only breaks the lines elsewhere, so weights of "
            "different neurons are mixed. A transposition makes columns of the rows.",
            SUM,
            lost(_P, "neurons"),
        ),
        Misconception(
            "images and neurons are swapped",
            _turned,
            "The result has a row for each image and a column for each neuron, (N, K): the images stay in "
            "front.",
            SUM,
            lost(_P, "shape", "neurons", "batch", "bias"),
        ),
        Misconception(
            "the bias is forgotten",
            _no_bias,
            "Each neuron adds its own number to its sum. `bias=None` stands for a layer without them.",
            SUM,
            lost(_P, "bias"),
        ),
        Misconception(
            "the bias is added at every product",
            _bias_at_every_product,
            "A neuron adds its bias once, to the finished sum, however many inputs it has.",
            SUM,
            lost(_P, "bias"),
        ),
        Misconception(
            "a bias is taken for granted",
            _bias_needed,
            "`bias` may be `None`, and nothing can be added to `None`. Ask before you add.",
            SUM,
            lost(_P, "none"),
        ),
        Misconception(
            "a mean in place of a sum",
            _mean,
            "The products are added up and not divided by their number: the weights set the scale.",
            SUM,
            lost(_P, "one", "neurons", "batch", "bias", "none", "dtype"),
        ),
        Misconception(
            "an activation is built in",
            _with_relu,
            "A RELU is a layer of its own. An FC layer gives its sums as they are, negative ones too: the last "
            "FC's class scores need them.",
            SUM,
            lost(_P, "one", "neurons", "batch", "bias", "none", "dtype"),
        ),
        Misconception(
            "only the first image is computed",
            _first_image,
            "Axis 0 of `x` counts the images, and each gets its own row in the result.",
            SUM,
            lost(_P, "batch"),
        ),
        Misconception(
            "NumPy's default type",
            linear,
            "`np.zeros` makes float64 unless it is told otherwise; `dtype=x.dtype` tells it.",
            SUM,
            lost(_P, "dtype"),
        ),
    ),
)
