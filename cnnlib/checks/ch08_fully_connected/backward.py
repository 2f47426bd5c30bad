"""Task (b): the three gradients of an FC layer."""

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch08_fully_connected.common import BACKWARD as SECTION
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost, whole
from cnnlib.checks.judges import judge_array, judge_dtype
from cnnlib.reference import linear as reference

_DX, _DWEIGHT, _DBIAS = 0, 1, 2  # the places of the three gradients in the result


def _case(dout: np.ndarray, x: np.ndarray, weight: np.ndarray, right: tuple | None = None) -> Case:
    arguments = {"dout": dout, "x": x, "weight": weight}
    return Case(arguments, expected=right, note="by hand" if right else "")


def _drawn(rng: Random, n: int, d: int, k: int, dtype: str = "float64") -> Case:
    dout, x, weight = (images(rng, shape, dtype) for shape in ((n, k), (n, d), (k, d)))
    return _case(dout, x, weight)


def _by_hand() -> Case:
    """Two inputs, two neurons, one image."""
    return _case(
        np.array([[10.0, 1.0]]),
        np.array([[2.0, 3.0]]),
        np.array([[1.0, 4.0], [0.0, -5.0]]),
        (
            np.array([[10.0, 35.0]]),
            np.array([[20.0, 30.0], [2.0, 3.0]]),
            np.array([10.0, 1.0]),
        ),
    )


def _two_by_hand() -> Case:
    """One input, one neuron, two images: 3·2 + 5·4 = 26 for the weight, 3 + 5 = 8 for the bias."""
    return _case(
        np.array([[3.0], [5.0]]),
        np.array([[2.0], [4.0]]),
        np.array([[10.0]]),
        (np.array([[30.0], [50.0]]), np.array([[26.0]]), np.array([8.0])),
    )


def _dx_cases(rng: Random) -> list[Case]:
    return [_by_hand(), _drawn(rng, 1, 4, 3), _drawn(rng, 1, 2, whole(rng, 4, 6), "float32")]


def _square_cases(rng: Random) -> list[Case]:
    """As many neurons as inputs, so that a wrong dx raises no error here."""
    side = whole(rng, 3, 5)
    return [_by_hand(), _drawn(rng, 1, side, side, "float32")]


def _batch_cases(rng: Random) -> list[Case]:
    side = whole(rng, 2, 4)
    return [_two_by_hand(), _drawn(rng, 3, side, side), _drawn(rng, 5, 1, 1, "float32")]


def _dbias_cases(rng: Random) -> list[Case]:
    return [_by_hand(), _drawn(rng, 1, 3, 3, "float32")]


def _oblong_cases(rng: Random) -> list[Case]:
    return [_drawn(rng, 1, 5, 2), _drawn(rng, 1, 3, whole(rng, 4, 6), "float32")]


def _dtype_cases(rng: Random) -> list[Case]:
    return [_drawn(rng, 1, 3, 3, dtype) for dtype in ("float32", "float64")]


def linear_backward(
    dout: np.ndarray, x: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The reference, in float64."""
    dout, x, weight = (a.astype(np.float64) for a in (dout, x, weight))
    dx, dweight, dbias = reference.linear_backward(dout, (x, weight, np.zeros(len(weight))))
    assert dbias is not None
    return dx, dweight, dbias


def _typed(function):
    """Misconceptions keep the input's type, so that they lose nothing but their own parts."""

    def typed(dout, x, weight):
        return tuple(out.astype(dout.dtype) for out in function(dout, x, weight))

    return typed


@_typed
def _averaged(dout, x, weight):
    dx, dweight, dbias = linear_backward(dout, x, weight)
    return dx, dweight / len(x), dbias / len(x)


@_typed
def _last_image(dout, x, weight):
    return dout @ weight, np.outer(dout[-1], x[-1]), dout[-1]


@_typed
def _bias_not_summed(dout, x, weight):
    return dout @ weight, dout.T @ x, dout


@_typed
def _bias_over_neurons(dout, x, weight):
    return dout @ weight, dout.T @ x, dout.sum(axis=1)


@_typed
def _dx_turned(dout, x, weight):
    return dout @ weight.T, dout.T @ x, dout.sum(axis=0)


@_typed
def _dx_summed(dout, x, weight):
    dx = np.broadcast_to((dout @ weight).sum(axis=0), x.shape)
    return dx, dout.T @ x, dout.sum(axis=0)


@_typed
def _dweight_turned(dout, x, weight):
    return dout @ weight, x.T @ dout, dout.sum(axis=0)


@_typed
def _dweight_without_x(dout, x, weight):
    dweight = np.broadcast_to(dout.sum(axis=0)[:, None], weight.shape)
    return dout @ weight, dweight, dout.sum(axis=0)


@_typed
def _another_order(dout, x, weight):
    dx, dweight, dbias = linear_backward(dout, x, weight)
    return dweight, dbias, dx


_P = {
    "dx": "dx, one image",
    "dx batch": "dx, a row for each image",
    "dweight": "dweight, one image",
    "dweight batch": "dweight, summed over the batch",
    "oblong": "dweight, more or fewer inputs than neurons",
    "dbias": "dbias, one image",
    "dbias batch": "dbias, summed over the batch",
    "dtype": "float32 stays float32",
}

BACKWARD = Task(
    "b",
    "an FC layer, backward",
    "linear_backward",
    linear_backward,
    parts=(
        Part(_P["dx"], 2, _dx_cases, judge_array, pick=_DX, hint=1),
        Part(_P["dx batch"], 1, _batch_cases, judge_array, pick=_DX, hint=2),
        Part(_P["dweight"], 1, _square_cases, judge_array, pick=_DWEIGHT, hint=1),
        Part(_P["dweight batch"], 2, _batch_cases, judge_array, pick=_DWEIGHT, hint=2),
        Part(_P["oblong"], 1, _oblong_cases, judge_array, pick=_DWEIGHT, hint=3),
        Part(_P["dbias"], 1, _dbias_cases, judge_array, pick=_DBIAS, hint=1),
        Part(_P["dbias batch"], 1, _batch_cases, judge_array, pick=_DBIAS, hint=2),
        Part(_P["dtype"], 1, _dtype_cases, judge_dtype, pick=_DWEIGHT, hint=3),
    ),
    misconceptions=(
        Misconception(
            "averaged over the batch",
            _averaged,
            "A weight serves every image, so its gradient is the sum of what the images say. Where the loss "
            "is a mean over the batch, that division is in `dout` already.",
            SECTION,
            lost(_P, "dweight batch", "dbias batch"),
        ),
        Misconception(
            "the last image overwrites the others",
            _last_image,
            "All images of the batch pull at the same weights. Add their parts up: `+=` in the loop, not `=`.",
            SECTION,
            lost(_P, "dweight batch", "dbias batch"),
        ),
        Misconception(
            "the gradient of the bias is not summed",
            _bias_not_summed,
            "A neuron has one bias for all images, so `dbias` has one number a neuron, (K,): the sum over the "
            "batch.",
            SECTION,
            lost(_P, "dbias", "dbias batch"),
        ),
        Misconception(
            "the gradient of the bias is summed over the neurons",
            _bias_over_neurons,
            "Axis 0 of `dout` counts images, axis 1 neurons. Each neuron keeps its own number; the images are "
            "added up.",
            SECTION,
            lost(_P, "dbias", "dbias batch"),
        ),
        Misconception(
            "the weight is turned in dx",
            _dx_turned,
            "The forward pass turned the weight; on the way back it is used as it is. Input d collects from "
            "every neuron k its gradient times `weight[k, d]`.",
            SECTION,
            lost(_P, "dx", "dx batch", "oblong"),
        ),
        Misconception(
            "dx is summed over the batch",
            _dx_summed,
            "Images share the weights, not their inputs. Row n of `dx` depends on row n of `dout` alone.",
            SECTION,
            lost(_P, "dx batch"),
        ),
        Misconception(
            "dweight is turned",
            _dweight_turned,
            "`dweight` has the shape of the weight, (K, D): row k holds what neuron k's weights get.",
            SECTION,
            lost(_P, "dweight", "dweight batch", "oblong", "dtype"),
        ),
        Misconception(
            "the input is left out of dweight",
            _dweight_without_x,
            "A weight works by multiplying its input, so a change of it counts as much as that input is large: "
            "`dout` times `x`.",
            SECTION,
            lost(_P, "dweight", "dweight batch", "oblong", "dtype"),
        ),
        Misconception(
            "the three results in another order",
            _another_order,
            "The gradients come in the order of the layer's arguments: x, weight, bias.",
            SECTION,
            frozenset(_P.values()),
        ),
        Misconception(
            "NumPy's default type",
            linear_backward,
            "`np.zeros` makes float64 unless it is told otherwise; `dtype=x.dtype` tells it.",
            SECTION,
            lost(_P, "dtype"),
        ),
    ),
)
