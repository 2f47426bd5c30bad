"""Task (b): one step of training through CONV, RELU, POOL and FC, put together from layers."""

from collections.abc import Callable
from typing import Any

import numpy as np

from cnnlib.checks.book import Section
from cnnlib.checks.calls import Case, Outcome, describe
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, images, lost, whole
from cnnlib.checks.judges import judge_array, judge_dtype, judge_real, pick
from cnnlib.reference.activation import relu, relu_backward, softmax
from cnnlib.reference.conv import conv2d_backward, conv2d_forward
from cnnlib.reference.linear import linear_backward, linear_forward
from cnnlib.reference.loss import softmax_cross_entropy_backward, softmax_cross_entropy_forward
from cnnlib.reference.pool import max_pool2d_backward, max_pool2d_forward

SOFTMAX = Section(
    2,
    "book/ch02_layers_and_diagrams/layers_and_diagrams",
    "ch02-softmax",
    "The SOFTMAX that is not there",
)
SILENT = Section(5, "book/ch05_activation/activation", "ch05-dead", "Dead units")
WINNER = Section(6, "book/ch06_pooling/pooling", "ch06-gradient", "Who gets the gradient?")
FLATTEN = Section(
    8, "book/ch08_fully_connected/fully_connected", "ch08-flatten", "A volume becomes a row"
)
TRAINING = Section(
    13,
    "book/ch13_rules_of_thumb/rules_of_thumb",
    "ch13-training",
    "Before you trust a training",
)
RESULTS = ("the loss", "conv_w", "conv_b", "fc_w", "fc_b")


def _step(
    x: np.ndarray,
    labels: np.ndarray,
    conv_w: np.ndarray,
    conv_b: np.ndarray,
    fc_w: np.ndarray,
    fc_b: np.ndarray,
    *,
    rate: float,
    softmax_first: bool = False,
    channels_last: bool = False,
    through_relu: bool = False,
    new_fc_first: bool = False,
    summed: bool = False,
    flat_pool: bool = False,
) -> tuple:
    """One step; the switches are wrong turns."""
    out, conv_cache = conv2d_forward(x, conv_w, conv_b, padding=1)
    active = relu(out)
    pooled, pool_cache = max_pool2d_forward(active, 2)
    flat: Any = (pooled.transpose(0, 2, 3, 1) if channels_last else pooled).reshape(len(x), -1)
    logits, fc_cache = linear_forward(flat, fc_w, fc_b)
    if softmax_first:
        logits = softmax(logits)
    loss, loss_cache = softmax_cross_entropy_forward(logits, labels)
    gradient: dict[str, Any] = {}
    dpooled: Any
    dlogits = softmax_cross_entropy_backward(float(len(x)) if summed else 1.0, loss_cache)
    dflat, gradient["fc_w"], gradient["fc_b"] = linear_backward(dlogits, fc_cache)
    if new_fc_first:
        dflat = dlogits @ (fc_w - rate * gradient["fc_w"])
    if channels_last:
        n, c, h, w = pooled.shape
        dpooled = dflat.reshape(n, h, w, c).transpose(0, 3, 1, 2)
    else:
        dpooled = dflat.reshape(pooled.shape)
    if flat_pool:
        dactive = np.repeat(np.repeat(dpooled, 2, axis=2), 2, axis=3)
    else:
        dactive = max_pool2d_backward(np.ascontiguousarray(dpooled), pool_cache)
    dout = dactive if through_relu else relu_backward(dactive, active)
    _, gradient["conv_w"], gradient["conv_b"] = conv2d_backward(dout, conv_cache)
    return (
        loss,
        conv_w - rate * gradient["conv_w"],
        conv_b - rate * gradient["conv_b"],
        fc_w - rate * gradient["fc_w"],
        fc_b - rate * gradient["fc_b"],
    )


def step(x, labels, conv_w, conv_b, fc_w, fc_b, *, rate):
    """The reference of task (b)."""
    return _step(x, labels, conv_w, conv_b, fc_w, fc_b, rate=rate)


# --- cases ------------------------------------------------------------------------------------------


def _case(
    rng: Random,
    n: int,
    size: tuple[int, int],
    rate: float,
    dtype: str = "float64",
    channels: int = 2,
    filters: int = 3,
) -> Case:
    """Weights and images with no value near the kink of the RELU and no near tie in a POOL."""
    classes = whole(rng, 3, 5)
    features = filters * (size[0] // 2) * (size[1] // 2)
    while True:
        x = images(rng, (n, channels, *size), dtype)
        conv_w = images(rng, (filters, channels, 3, 3), dtype) / 4
        conv_b = images(rng, (filters,), dtype) / 4
        out, _ = conv2d_forward(x, conv_w, conv_b, padding=1)
        windows = out.reshape(n, filters, size[0] // 2, 2, size[1] // 2, 2)
        ranked = np.sort(windows.transpose(0, 1, 2, 4, 3, 5).reshape(-1, 4), axis=1)
        tops, seconds = ranked[:, 3], ranked[:, 2]
        clear = (tops - seconds > 1e-3) | (tops < -1e-3)
        # Some windows must be switched off altogether, or a forgotten RELU would not show.
        if np.abs(out).min() > 1e-3 and clear.all() and (tops < 0).any() and (tops > 0).any():
            break
    fc_w = images(rng, (classes, features), dtype) / 4
    fc_b = images(rng, (classes,), dtype) / 4
    labels = rng.integers(0, classes, n)
    names = ("x", "labels", "conv_w", "conv_b", "fc_w", "fc_b")
    values = (x, labels, conv_w, conv_b, fc_w, fc_b)
    return Case(dict(zip(names, values, strict=True)), {"rate": rate})


def _loss_cases(rng: Random) -> list[Case]:
    return [
        _case(rng, 1, (4, 6), 1.0),
        _case(rng, 3, (6, 4), 0.5, "float32"),
        _case(rng, 2, (4, 4), 0.1, channels=1, filters=2),
    ]


def _one_image_cases(rng: Random) -> list[Case]:
    return [
        _case(rng, 1, (4, 6), 1.0),
        _case(rng, 1, (6, 4), 1.0, "float32", channels=1),
        _case(rng, 1, (6, 6), 1.0, filters=4),
    ]


def _batch_cases(rng: Random) -> list[Case]:
    return [_case(rng, 3, (4, 4), 1.0), _case(rng, whole(rng, 4, 6), (4, 6), 1.0, "float32")]


def _rate_cases(rng: Random) -> list[Case]:
    return [_case(rng, 1, (4, 4), 0.25), _case(rng, 1, (4, 6), 2.0)]


def _dtype_cases(rng: Random) -> list[Case]:
    return [_case(rng, 1, (4, 4), 1.0, "float32"), _case(rng, 1, (4, 4), 1.0)]


def _together(*wanted: int) -> Callable[[Case, Any, Outcome], str]:
    """A judge of several of the five results, each by its name."""

    def judge(case: Case, right: Any, got: Outcome) -> str:
        if got.raised or got.timed_out or not isinstance(got.value, tuple):
            return f"expected five results, the loss and four arrays, got {describe(got)}"
        if len(got.value) != len(RESULTS):
            return f"expected five results, the loss and four arrays, got {describe(got)}"
        for index in wanted:
            if problem := judge_array(case, right[index], pick(got, index, len(RESULTS))):
                return f"{RESULTS[index]}: {problem}"
        return ""

    return judge


# --- misconceptions -----------------------------------------------------------------------------------


def _wrong(**turn: bool) -> Callable:
    def function(x, labels, conv_w, conv_b, fc_w, fc_b, *, rate):
        return _step(x, labels, conv_w, conv_b, fc_w, fc_b, rate=rate, **turn)

    return function


def _uphill(x, labels, conv_w, conv_b, fc_w, fc_b, *, rate):
    return _step(x, labels, conv_w, conv_b, fc_w, fc_b, rate=-rate)


def _rate_forgotten(x, labels, conv_w, conv_b, fc_w, fc_b, *, rate):
    return _step(x, labels, conv_w, conv_b, fc_w, fc_b, rate=1.0)


def _biases_stay(x, labels, conv_w, conv_b, fc_w, fc_b, *, rate):
    loss, conv_w, _, fc_w, _ = step(x, labels, conv_w, conv_b, fc_w, fc_b, rate=rate)
    return loss, conv_w, conv_b, fc_w, fc_b


def _gradients(x, labels, conv_w, conv_b, fc_w, fc_b, *, rate):
    given = (conv_w, conv_b, fc_w, fc_b)
    loss, *new = step(x, labels, *given, rate=1.0)
    return (loss, *(w - n for w, n in zip(given, new, strict=True)))


def _wide_rate(x, labels, conv_w, conv_b, fc_w, fc_b, *, rate):
    return step(x, labels, conv_w, conv_b, fc_w, fc_b, rate=np.float64(rate))


_B = {
    "loss": "the loss",
    "fc": "the step of the FC weights",
    "conv": "the step of the CONV weights",
    "bias": "the step of both biases",
    "batch": "a batch of several images",
    "rate": "the learning rate",
    "dtype": "float32 stays float32",
}

STEP = Task(
    "b",
    "one step of training",
    "step",
    step,
    parts=(
        Part(_B["loss"], 1, _loss_cases, judge_real, pick=0, hint=1),
        Part(_B["fc"], 2, _one_image_cases, judge_array, pick=3, hint=2),
        Part(_B["conv"], 2, _one_image_cases, judge_array, pick=1, hint=2),
        Part(_B["bias"], 1, _one_image_cases, _together(2, 4), hint=2),
        Part(_B["batch"], 1, _batch_cases, _together(1, 2, 3, 4), hint=2),
        Part(_B["rate"], 1, _rate_cases, _together(1, 2, 3, 4), hint=3),
        Part(_B["dtype"], 1, _dtype_cases, judge_dtype, pick=3),
    ),
    misconceptions=(
        Misconception(
            "softmax before the loss",
            _wrong(softmax_first=True),
            "`softmax_cross_entropy` takes the scores and does the softmax itself. Given probabilities it "
            "squeezes them a second time.",
            SOFTMAX,
            frozenset(_B.values()),
        ),
        Misconception(
            "channels last when flattening",
            _wrong(channels_last=True),
            "Flattening keeps the order in memory: all of channel 0, then channel 1. The columns of "
            "`fc_w` are in this order.",
            FLATTEN,
            frozenset(_B.values()),
        ),
        Misconception(
            "the RELU is forgotten on the way back",
            _wrong(through_relu=True),
            "Where the RELU gave 0 it lets no gradient through: a small change there changes nothing.",
            SILENT,
            lost(_B, "conv", "bias", "batch", "rate"),
        ),
        Misconception(
            "the POOL shares its gradient out",
            _wrong(flat_pool=True),
            "Of each window only the largest value went forward, so only it gets the gradient. "
            "`max_pool2d_backward` knows from the cache which one it was.",
            WINNER,
            lost(_B, "conv", "bias", "batch", "rate"),
        ),
        Misconception(
            "the FC is changed before the gradient has passed it",
            _wrong(new_fc_first=True),
            "All gradients belong to one and the same network, the one that computed the loss. First go "
            "back through all layers with the old weights, then change them.",
            TRAINING,
            lost(_B, "conv", "bias", "batch", "rate"),
        ),
        Misconception(
            "uphill",
            _uphill,
            "The gradient points to where the loss grows. A step that lowers it goes the other way, so "
            "rate times gradient is subtracted.",
            TRAINING,
            lost(_B, "fc", "conv", "bias", "batch", "rate", "dtype"),
        ),
        Misconception(
            "the gradient of a sum",
            _wrong(summed=True),
            "The loss is the mean over the batch, so its gradient is divided by N as well. "
            "`softmax_cross_entropy_backward(1.0, cache)` has done that already.",
            TRAINING,
            lost(_B, "batch"),
        ),
        Misconception(
            "the rate is forgotten",
            _rate_forgotten,
            "The gradient gives the direction, `rate` the length of the step: w − rate · dw.",
            TRAINING,
            lost(_B, "rate"),
        ),
        Misconception(
            "the biases stay",
            _biases_stay,
            "Biases are learned as weights are. Their gradients come out of `conv2d_backward` and "
            "`linear_backward` too.",
            TRAINING,
            lost(_B, "bias", "batch", "rate"),
        ),
        Misconception(
            "gradients in place of weights",
            _gradients,
            "What is asked for are the weights after the step: the old ones minus rate times gradient.",
            TRAINING,
            lost(_B, "fc", "conv", "bias", "batch", "rate", "dtype"),
        ),
        Misconception(
            "a rate in float64",
            _wide_rate,
            "A NumPy scalar of float64 lifts a float32 array to float64. A plain Python number, such as "
            "`rate` is, leaves it as it is.",
            TRAINING,
            lost(_B, "dtype"),
        ),
    ),
)
