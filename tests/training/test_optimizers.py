"""SGD and Adam held to torch.optim step by step; schedules held to torch's; what is out of range."""

import math

import numpy as np
import pytest
import torch

from cnnlib.errors import RangeError, ShapeError
from cnnlib.training import SGD, Adam, Constant, Cosine, StepDown
from cnnlib.training.optimizers import start, update
from cnnlib.training.schedules import factor
from cnnlib.training.torch_trainer import _torch_optimizer


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "optimizer",
    [
        SGD(0.1, momentum=0),
        SGD(0.1, momentum=0, weight_decay=0.01),
        SGD(0.1, momentum=0.9),
        SGD(0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
        Adam(0.01),
        Adam(0.01, beta1=0.5, beta2=0.9, eps=1e-3, weight_decay=0.1),
        Adam(0.01, beta1=0),
    ],
    ids=repr,
)
def test_each_step_is_torchs(optimizer, dtype):
    rng = np.random.default_rng(0)
    ours = {n: rng.standard_normal(s).astype(dtype) for n, s in (("a.w", (3, 4)), ("b.w", (5,)))}
    theirs = [torch.nn.Parameter(torch.from_numpy(w.copy())) for w in ours.values()]
    holder = torch.nn.ParameterList(theirs)
    state, other = start(optimizer, ours), _torch_optimizer(optimizer, holder)
    for step in range(12):
        gradients = {n: rng.standard_normal(w.shape).astype(dtype) for n, w in ours.items()}
        before = {n: g.copy() for n, g in gradients.items()}
        rate = 0.1 / (step + 1)
        update(optimizer, ours, gradients, state, rate)
        for parameter, gradient in zip(theirs, gradients.values(), strict=True):
            parameter.grad = torch.from_numpy(gradient.copy())
        other.param_groups[0]["lr"] = rate
        other.step()
        for w, parameter in zip(ours.values(), theirs, strict=True):
            assert w.dtype == dtype
            tolerance = 2e-6 if dtype == "float32" else 1e-14
            np.testing.assert_allclose(w, parameter.detach().numpy(), tolerance, tolerance)
        assert all(np.array_equal(gradients[n], before[n]) for n in before)


def test_cosine_and_steps_are_torchs():
    for ours, theirs in (
        (Cosine(), lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 12)),
        (StepDown(2, 0.5), lambda o: torch.optim.lr_scheduler.StepLR(o, 6, 0.5)),
    ):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 1.0)
        scheduler = theirs(optimizer)
        for step in range(12):
            assert math.isclose(
                factor(ours, step, 3, 4), optimizer.param_groups[0]["lr"], rel_tol=1e-9
            )
            optimizer.step()
            scheduler.step()


def test_warm_up_rises_and_hands_over():
    found = [factor(Cosine(warmup=4), step, 6, 2) for step in range(12)]
    assert found[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert found[5:] == sorted(found[5:], reverse=True)
    assert 0 < found[-1] < 0.1
    assert [factor(StepDown(1, 0.1, warmup=1), step, 2, 2) for step in range(4)] == [1, 1, 0.1, 0.1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: SGD(0),
            "learning_rate=0 must be a number above 0: 0.1 is a usual first try for SGD",
        ),
        (lambda: SGD(math.nan), "learning_rate=nan must be a number above 0"),
        (lambda: SGD(momentum=1), "momentum=1 must be at least 0 and below 1: 0.9 is usual"),
        (lambda: SGD(weight_decay=-1), "weight_decay=-1 must be a number of at least 0"),
        (lambda: SGD(momentum=0, nesterov=True), "Give momentum=0.9 or leave nesterov out"),
        (lambda: Adam("fast"), "learning_rate='fast' must be a number above 0: 0.001"),
        (lambda: Adam(beta2=1.0), "beta2=1.0 must be at least 0 and below 1: 0.999 is usual"),
        (lambda: Adam(eps=0), "eps=0 must be a number above 0: 1e-8 is usual"),
        (lambda: StepDown(gamma=2), "gamma=2 is out of range: .* at most 1; 0.1 is usual"),
    ],
)
def test_what_is_out_of_range_is_refused(make, message):
    with pytest.raises(RangeError, match=message):
        make()


def test_schedules_count_in_whole_numbers():
    for make in (lambda: Cosine(-1), lambda: Constant(0.5), lambda: StepDown(0)):
        with pytest.raises(ShapeError, match="whole number"):
            make()
