"""The loop: both libraries learn alike, chance comes from the seed, early stopping, what is refused."""

import io
import sys

import numpy as np
import pytest
import torch

from cnnlib.diagram import build
from cnnlib.errors import CnnlibError, DtypeError, NotFiniteError, RangeError, ShapeError
from cnnlib.training import (
    SGD,
    Adam,
    Augmentation,
    Constant,
    Cosine,
    EarlyStopping,
    evaluate,
    fit,
    plot_history,
    read_csv,
    to_csv,
)
from tests.training.small import PLAIN, numbers, same

BACKENDS = ("numpy", "torch")
SHORT = {"epochs": 2, "batch_size": 32, "progress": False}


def test_both_libraries_train_alike(network, clothes):
    """Without dropout, whose masks differ, everything is the same up to rounding."""
    text = "INPUT(1, 14, 14) => CONV(4) => RELU => BN => POOL => FC(16) => RELU => FC(10)"
    found = []
    for backend in BACKENDS:
        one = network(backend, text, dtype="float64")
        history = fit(
            one, *clothes, optimizer=SGD(0.05, weight_decay=1e-3), schedule=Cosine(warmup=3),
            augmentation=Augmentation(reach=2), seed=3, **SHORT,
        )  # fmt: skip
        found.append((one.to_arrays(), numbers(history)))
    (a, rows), (b, others) = found
    for name, array in a.items():
        np.testing.assert_allclose(array, b[name], 1e-8, 1e-9, err_msg=name)
    for row, other in zip(rows, others, strict=True):
        assert row == pytest.approx(other, rel=1e-8)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_network_learns(network, clothes, backend):
    one = network(backend, PLAIN)
    history = fit(one, *clothes, optimizer=Adam(0.01), epochs=12, batch_size=25, progress=False)
    assert [row["epoch"] for row in history] == list(range(1, 13))
    assert history[-1]["train_loss"] < 0.5 * history[0]["train_loss"]
    assert history[-1]["train_accuracy"] > 0.8
    assert history[-1]["validation_accuracy"] > 0.5
    assert all(row["seconds"] > 0 for row in history)
    looked = evaluate(one, clothes[1])
    assert looked["accuracy"] == history[-1]["validation_accuracy"]
    assert looked["loss"] == history[-1]["validation_loss"]
    assert one.training


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_seed_decides_everything(network, clothes, backend):
    runs = []
    for seed in (5, 5, 6):
        one = network(backend)
        torch.manual_seed(len(runs))  # the caller's own chance has no say, and goes on as it was
        state = torch.get_rng_state()
        history = fit(one, *clothes, seed=seed, augmentation=Augmentation(), **SHORT)
        assert torch.equal(torch.get_rng_state(), state)
        runs.append((one, numbers(history)))
    assert runs[0][1] == runs[1][1]
    assert same(runs[0][0], runs[1][0])
    assert runs[0][1] != runs[2][1]


@pytest.mark.parametrize("backend", BACKENDS)
def test_early_stopping_goes_back_to_the_best(network, clothes, backend):
    one = network(backend, PLAIN)
    history = fit(
        one, *clothes, optimizer=SGD(0.3), epochs=40, early_stopping=EarlyStopping(2), progress=False
    )  # fmt: skip
    losses = [row["validation_loss"] for row in history]
    best = int(np.argmin(losses))
    assert len(history) == best + 3 < 40
    assert evaluate(one, clothes[1])["loss"] == losses[best]


def test_bytes_are_divided_by_255_and_floats_taken_as_they_are(network, clothes):
    (x, labels), _ = clothes
    one, two = network("numpy", PLAIN), network("numpy", PLAIN)
    fit(one, (x, labels), **SHORT)
    fit(two, (x.astype(np.float32) / np.float32(255), labels), **SHORT)
    assert same(one, two)


def test_the_jitter_is_that_of_the_steps(network, clothes):
    losses = []
    history = fit(
        network("numpy", PLAIN), clothes[0], on_step=lambda *step: losses.append(step), **SHORT
    )
    assert [step[:2] for step in losses] == [(e, s) for e in (1, 2) for s in range(1, 6)]
    for epoch, row in enumerate(history, 1):
        own = np.array([loss for e, _, loss in losses if e == epoch])
        assert row["train_jitter"] == pytest.approx(np.sqrt((np.diff(own) ** 2).mean() / 2))
        weights = np.array([32, 32, 32, 32, 22])
        assert row["train_loss"] == pytest.approx((own * weights).sum() / 150)


def test_a_history_goes_to_a_file_and_back(network, clothes, tmp_path):
    seen = []
    history = fit(
        network("numpy", PLAIN), *clothes, on_epoch=lambda h: seen.append(len(h)), **SHORT
    )
    assert seen == [1, 2]
    to_csv(history, tmp_path / "history.csv")
    assert read_csv(tmp_path / "history.csv") == history
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(CnnlibError, match="is no table of a training"):
        read_csv(tmp_path / "other.csv")
    figure = plot_history(history)
    figure.savefig(io.BytesIO())
    loss, accuracy = figure.axes
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("loss", "accuracy")
    assert len(loss.lines) == len(accuracy.lines) == 2


def test_the_bar_and_the_plot_are_shown(network, clothes, capsys, monkeypatch):
    shown = []

    class Handle:
        def update(self, figure):
            shown.append(("again", len(figure.axes)))

    def display(figure, display_id):
        shown.append(("new", len(figure.axes)))
        return Handle()

    monkeypatch.setattr("IPython.display.display", display)
    fit(network("numpy", PLAIN), *clothes, plot=True, **SHORT | {"progress": True})
    assert shown == [("new", 2), ("again", 2)]
    assert "10/10" in capsys.readouterr().err


def test_without_tqdm_it_is_named(network, clothes, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(CnnlibError, match="progress=True needs the package tqdm"):
        fit(network("numpy", PLAIN), *clothes, epochs=1)


# --- NaN ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_training_that_is_lost_says_where(network, clothes, backend):
    one = network(backend)
    with pytest.raises(NotFiniteError) as error:
        fit(one, *clothes, optimizer=SGD(1e6), **SHORT)
    assert error.value.epoch == 1
    assert error.value.step > 1
    assert error.value.layer in [step.name for step in one.plan.layers()]
    text = str(error.value)
    assert f"in epoch 1, step {error.value.step}, at a learning rate of 1e+06" in text
    assert f"layer {error.value.layer}: " in text
    assert "Lower the learning rate" in text


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("what", ["image", "weight", "activation", "gradient", "loss"])
def test_the_place_is_found(network, clothes, backend, what):
    (x, labels), _ = clothes
    x = x.astype(np.float32) / 255
    one = network(backend, PLAIN)
    arrays = one.to_arrays()
    if what == "image":
        x = x.copy()
        x[:, 0, 3, 3] = np.nan
    elif what == "weight":
        arrays["fc1.bias"][2] = np.inf
    elif what == "activation":
        arrays["fc1.weight"][:] = 3e38
    elif what == "gradient":  # scores near 10,000 from steps down and up; their way back overflows
        arrays["conv1.weight"][:] = 0
        arrays["conv1.bias"][:] = 1e-37
        arrays["fc1.weight"][:] = 1e23
        arrays["fc2.weight"][:] = 0
        arrays["fc2.weight"][0] = 3e14
    else:
        arrays["fc2.bias"][:] = [-3e38] * 9 + [3e38]
    one.load_arrays(arrays)
    with pytest.raises(NotFiniteError) as error:
        fit(one, (x, labels), optimizer=SGD(0.1), **SHORT)
    found, text = error.value, str(error.value)
    assert (found.epoch, found.step) == (1, 1)
    layer, words = {
        "image": ("input", "image 0 of the batch has values that are not finite"),
        "weight": ("fc1", "layer fc1: its bias is not finite since the step before"),
        "activation": ("fc1", "layer fc1: it is the first that gives values that are not finite"),
        "gradient": ("conv1", "layer conv1: its gradient is the first on the way back"),
        "loss": ("", "all layers give finite values, so the loss itself overflowed"),
    }[what]
    assert found.layer == layer
    assert words in text
    after = one.to_arrays()
    assert all(np.array_equal(after[n], arrays[n], equal_nan=True) for n in arrays)  # untouched


# --- refused --------------------------------------------------------------------------------------


def test_what_does_not_fit_is_refused(network, clothes):
    (x, labels), _ = clothes
    numpy, tor = network("numpy", PLAIN), network("torch", PLAIN)
    good = (x, labels)
    for call, kind, message in (
        (lambda: fit(numpy, (x[:, 0], labels), **SHORT), ShapeError, r"train has images of shape \(150, 14, 14\), expected \('N', 1, 14, 14\).*images\[:, None\]"),
        (lambda: fit(numpy, (x[..., :9], labels), **SHORT), ShapeError, "Build another one with input_shape"),
        (lambda: fit(numpy, good, (x, labels[:3]), **SHORT), ShapeError, r"validation has 150 images and labels of shape \(3,\)"),
        (lambda: fit(numpy, (x.astype(int), labels), **SHORT), DtypeError, r"Convert with images.astype\(np.float32\)"),
        (lambda: fit(numpy, (x, labels * 1.0), **SHORT), DtypeError, "class indices are integers"),
        (lambda: fit(numpy, (x, labels + 5), **SHORT), RangeError, "the network has 10 outputs, so labels run from 0 to 9"),
        (lambda: fit(numpy, x, **SHORT), ShapeError, r"train is not a pair of arrays .*: give \(images, labels\)"),
        (lambda: fit(numpy, good, epochs=0), ShapeError, "epochs=0 is too small"),
        (lambda: fit(numpy, good, early_stopping=EarlyStopping(), **SHORT), RangeError, "early_stopping is given without validation"),
        (lambda: fit(numpy, good, device="cuda", **SHORT), RangeError, "device='cuda' is for torch, and this is a network of NumPy"),
        (lambda: fit(numpy, good, devise="cpu", **SHORT), RangeError, "devise='cpu' is no argument: those for torch are device, precision"),
        (lambda: fit(tor, good, precision="int8", **SHORT), RangeError, "precision='int8' is unknown: use 'float32', 'bfloat16', 'float16'"),
        (lambda: fit(tor, good, accumulate=0, **SHORT), ShapeError, "accumulate=0 is too small"),
        (lambda: fit(tor, good, distributed=True, **SHORT), RangeError, "distributed=True in a process that has no RANK"),
        (lambda: fit(numpy, good, optimizer=torch.optim.SGD, **SHORT), CnnlibError, r"is not one of this package: give SGD\(…\) or Adam"),
        (lambda: fit(numpy, good, schedule=0.1, **SHORT), CnnlibError, "schedule=0.1 is not one of this package"),
        (lambda: fit(numpy, good, schedule=Cosine(warmup=10), **SHORT), RangeError, "warmup=10 steps, and the whole training has 10"),
        (lambda: fit(torch.nn.Linear(1, 1), good, **SHORT), CnnlibError, "network=Linear is no network of cnnlib"),
        (lambda: fit(build("INPUT(1, 14, 14) => FC(10) => SOFTMAX"), good, **SHORT), CnnlibError, "network ends in SOFTMAX, which the loss includes already"),
        (lambda: fit(build("INPUT(1, 14, 14) => CONV(10)"), good, **SHORT), ShapeError, r"end the diagram in FC\(classes\)"),
        (lambda: EarlyStopping(0), ShapeError, "patience=0 is too small"),
        (lambda: EarlyStopping(least=-1), RangeError, "least=-1 must be a number of at least 0"),
        (lambda: fit(numpy, good, schedule=Constant(-1), **SHORT), ShapeError, "warmup=-1"),
    ):  # fmt: skip
        with pytest.raises(kind, match=message):
            call()
