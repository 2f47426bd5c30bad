"""What is special in the graders of exercise ch10_dropout."""

import numpy as np
import pytest

from cnnlib.checks import ch10_dropout as exercise
from cnnlib.checks.engine import examine


def _report(letter, function, seeds=("visible", "a secret")):
    task = exercise.EXERCISE.tasks[letter]
    return examine(exercise.EXERCISE, task, function, seeds=list(seeds))


def _lost(report):
    return {row.part for row in report.rows if row.status != "earned"}


def test_loops_and_other_structures_pass():
    def by_loop(x, p, u, *, training):
        out = np.zeros_like(x)
        for at in np.ndindex(x.shape):
            if not training:
                out[at] = x[at]
            elif u[at] >= p:
                out[at] = x[at] / (1 - p)
        return out

    assert _report("a", by_loop).points == 10
    assert (
        _report(
            "a",
            lambda x, p, u, *, training: np.where(
                u < p * training, 0, x / (1 - p * training)
            ).astype(x.dtype),
        ).points
        == 10
    )

    def by_moments(x, weight, p, *, older=False):
        low, high = (0, 1) if older else (0, 1 / (1 - p))
        mean, square = [], []
        for row in x:
            mean.append(
                sum((p * low + (1 - p) * high) * a * w for a, w in zip(row, weight, strict=True))
            )
            square.append(
                sum(
                    (p * low**2 + (1 - p) * high**2 - (p * low + (1 - p) * high) ** 2)
                    * (a * w) ** 2
                    for a, w in zip(row, weight, strict=True)
                )
            )
        return np.array(mean), np.array(square), np.array(mean)

    assert _report("c", by_moments).points == 8


class _OtherCoins:
    """Draws by choice, for one number after the other, and remembers places."""

    def __init__(self, p, seed):
        self.p, self.places = p, None
        self.rng = np.random.default_rng()  # any coins will do

    def forward(self, x, training):
        if not training:
            self.places = np.ones(x.shape, bool)
            self.factor = 1
            return x.copy()
        self.places = self.rng.choice([False, True], x.shape, p=[self.p, 1 - self.p])
        self.factor = 1 / (1 - self.p)
        out = np.zeros_like(x)
        out[self.places] = x[self.places] * self.factor
        return out

    def backward(self, dout):
        dx = np.zeros_like(dout)
        dx[self.places] = dout[self.places] * self.factor
        return dx


class _OneBuffer(_OtherCoins):
    """Writes every output into the same memory, which nobody forbids."""

    def forward(self, x, training):
        out = super().forward(x, training)
        if getattr(self, "memory", out).shape != out.shape or not hasattr(self, "memory"):
            self.memory = np.empty_like(out)
        self.memory[...] = out
        return self.memory


@pytest.mark.parametrize("layer", [_OtherCoins, _OneBuffer])
def test_a_layer_may_draw_and_remember_as_it_likes(layer):
    for seed in range(20):
        report = _report("b", layer, ["visible", f"secret {seed}"])
        assert report.points == 11, str(report)


def test_two_mistakes_in_a_layer_are_both_named():
    class Both(_OtherCoins):
        def forward(self, x, training):
            if training:
                super().forward(x, True)
                return x * self.places
            return x

        def backward(self, dout):
            return dout * self.places

    report = _report("b", Both)
    assert _lost(report) == {"forward: 0 or x/(1 − p)", "test time: backward"}
    assert [idea.name for idea in report.ideas] == [
        "no factor",
        "an old mask in the backward pass at test time",
    ]


def test_points_of_some_misconceptions_by_hand():
    def half(x, p, u, *, training):
        return x * (u >= p) if training else x

    assert _report("a", half).points == 10 - 3
    # all three results of the older form, whatever was asked for
    task = exercise.MOMENTS
    report = _report("c", lambda x, w, p, *, older=False: task.reference(x, w, p, older=True))
    assert report.points == 4


def test_work_in_place_is_told_as_such():
    def in_place(x, p, u, *, training):
        if training:
            x[u < p] = 0
            x /= 1 - p
        return x

    report = _report("a", in_place)
    assert "your function changed its input x" in str(report)
    assert report.points == 2 + 1  # test time and p = 0 change nothing


def test_results_that_are_no_arrays_are_said_in_words():
    class Lists(_OtherCoins):
        def forward(self, x, training):
            return super().forward(x, training).tolist()

    class Whole(_OtherCoins):
        def backward(self, dout):
            return super().backward(dout).sum(axis=0)

    assert "forward gave" in str(_report("b", Lists))
    assert _report("b", Lists).points == 0
    report = _report("b", Whole)
    assert "backward gave an array of shape" in str(report)
    assert all(part.startswith(("backward", "test time: b", "float32")) for part in _lost(report))
