"""Softmax cross-entropy: values by hand, extremes, finite differences, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnlib.errors import DtypeError, RangeError, ShapeError
from cnnlib.reference.activation import softmax
from cnnlib.reference.loss import (
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
    softmax_cross_entropy_forward,
)
from tests.parity.common import arrays, assert_close, finite_difference, normal


def test_values_by_hand():
    def loss(logits, labels):
        return float(softmax_cross_entropy(np.array(logits, float), np.array(labels)))

    assert loss([[0] * 10], [7]) == pytest.approx(np.log(10)), "a network that knows nothing"
    assert loss([[np.log(3), 0.0]], [0]) == pytest.approx(np.log(4 / 3)), "p = 3/4"
    assert loss([[np.log(3), 0.0]], [1]) == pytest.approx(np.log(4)), "p = 1/4"
    assert loss([[np.log(3), 0.0]] * 2, [0, 1]) == pytest.approx(np.log(16 / 3) / 2), "the mean"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_scores_neither_overflow_nor_lose_the_loss(dtype):
    logits = np.array([[0.0, 5000.0], [-5000.0, 0.0]], dtype)
    assert softmax_cross_entropy(logits, np.array([1, 1])) == 0
    assert softmax_cross_entropy(logits, np.array([0, 0])) == 5000, (
        "where log(softmax) gives infinity"
    )
    _, cache = softmax_cross_entropy_forward(logits, np.array([0, 1]))
    assert softmax_cross_entropy_backward(1.0, cache).tolist() == [[-0.5, 0.5], [0, 0]]


@settings(max_examples=40, deadline=None)
@given(data=st.data(), n=st.integers(1, 6), classes=st.integers(1, 6))
def test_gradient_against_finite_differences_and_in_words(data, n, classes):
    logits = data.draw(arrays((n, classes)))
    labels = np.array(data.draw(st.lists(st.integers(0, classes - 1), min_size=n, max_size=n)))
    _, cache = softmax_cross_entropy_forward(logits, labels)
    dlogits = softmax_cross_entropy_backward(3.0, cache)
    want = finite_difference(lambda a: softmax_cross_entropy(a, labels), logits, np.array(3.0))
    assert_close(dlogits, want, tolerance=1e-8)
    assert_close(dlogits, 3 * (softmax(logits) - np.eye(classes)[labels]) / n)
    assert_close(dlogits.sum(axis=1), np.zeros(n))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("label_dtype", [np.uint8, np.int32, np.int64])
def test_dtype_is_kept_and_inputs_stay_as_they_are(dtype, label_dtype):
    logits = normal((4, 3), dtype)  # read-only: writing would raise
    labels = np.array([0, 2, 1, 1], label_dtype)
    labels.flags.writeable = False
    loss, cache = softmax_cross_entropy_forward(logits, labels)
    assert loss.dtype == softmax_cross_entropy(logits, labels).dtype == dtype
    for dout in (1.0, loss.dtype.type(1), np.float64(1)):
        dlogits = softmax_cross_entropy_backward(dout, cache)
        assert dlogits.dtype == dtype
        assert not np.shares_memory(dlogits, logits)
    np.testing.assert_array_equal(softmax_cross_entropy_backward(1.0, cache), dlogits)


# --- refusals ---------------------------------------------------------------------------------------

LOGITS, LABELS = np.zeros((2, 3)), np.array([0, 2])


@pytest.mark.parametrize(
    ("args", "error", "text"),
    [
        ((LOGITS[0], LABELS), ShapeError,
         "logits has shape (3,), 1 axes: this layer needs (N, C). "
         "Add a missing axis with logits[None] or reshape it."),
        ((LOGITS.astype(int), LABELS), DtypeError,
         "logits has dtype int64: layers compute in float32 or float64. "
         "Convert it with logits.astype(np.float32)."),
        ((LOGITS[:0], LABELS[:0]), ShapeError,
         "logits has shape (0, 3): a mean loss needs at least one image and one class."),
        ((LOGITS[:, :0], LABELS), ShapeError,
         "logits has shape (2, 0): a mean loss needs at least one image and one class."),
        ((LOGITS, LABELS[:1]), ShapeError,
         "labels has shape (1,), expected (2,): one class index for each of the 2 rows of logits."),
        ((LOGITS, np.eye(3)[LABELS]), ShapeError,
         "labels has shape (2, 3), expected (2,): one class index for each of the 2 rows of logits."),
        ((LOGITS, LABELS.astype(float)), DtypeError,
         "labels has dtype float64: class indices are integers. Convert them with "
         "labels.astype(np.int64), or one-hot rows with labels.argmax(axis=1)."),
        ((LOGITS, np.array([1, 3])), RangeError,
         "labels[1]=3 is out of range: with 3 classes the labels run from 0 to 2. "
         "Count classes from 0, or widen the last layer."),
        ((LOGITS, np.array([-1, 1])), RangeError,
         "labels[0]=-1 is out of range: with 3 classes the labels run from 0 to 2. "
         "Count classes from 0, or widen the last layer."),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_a_remedy(args, error, text):
    for layer in (softmax_cross_entropy, softmax_cross_entropy_forward):
        with pytest.raises(error) as caught:
            layer(*args)
        assert str(caught.value) == text


def test_an_array_as_the_gradient_of_the_loss_is_refused():
    _, cache = softmax_cross_entropy_forward(LOGITS, LABELS)
    with pytest.raises(ShapeError) as caught:
        softmax_cross_entropy_backward(np.ones(2), cache)
    assert str(caught.value) == (
        "dout has shape (2,), but the loss is one number: pass a number, 1.0 if the loss is the end "
        "of the network."
    )
