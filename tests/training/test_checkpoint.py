"""Stopped and continued is the same as never stopped, bit for bit, even where a process was killed."""

import signal
import subprocess
import sys

import numpy as np
import pytest

from cnnlib.errors import DataError
from cnnlib.training import SGD, Adam, Augmentation, Cosine, EarlyStopping, checkpoint, fit
from tests.training.small import SMALL, numbers, same

BACKENDS = ("numpy", "torch")
SETTINGS = {
    "epochs": 3,
    "batch_size": 32,
    "seed": 2,
    "schedule": Cosine(warmup=2),
    "augmentation": Augmentation(reach=1),
    "progress": False,
}

SCRIPT = """
import os, signal, sys
import numpy as np, torch
torch.set_num_threads(1)
from cnnlib.diagram import build
from cnnlib.training import *
backend, kind, path, arrays, text = sys.argv[1:]
data = np.load(arrays)
def on_step(epoch, step, loss):
    if (epoch, step) == (2, 4):
        os.kill(os.getpid(), signal.SIGKILL)
fit(build(text, backend=backend), (data["x"], data["y"]), (data["vx"], data["vy"]),
    optimizer=SGD(0.05, weight_decay=1e-4) if kind == "sgd" else Adam(),
    epochs=3, batch_size=32, seed=2, schedule=Cosine(warmup=2), augmentation=Augmentation(reach=1),
    progress=False, checkpoint=path, checkpoint_every=3, on_step=on_step)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
@pytest.mark.parametrize(
    ("backend", "kind"), [("numpy", "adam"), ("torch", "sgd"), ("torch", "adam")]
)
def test_a_killed_process_is_continued_to_the_same_bits(network, clothes, tmp_path, backend, kind):
    optimizer = SGD(0.05, weight_decay=1e-4) if kind == "sgd" else Adam()
    whole = network(backend)
    expected = fit(whole, *clothes, optimizer=optimizer, **SETTINGS)
    (x, y), (vx, vy) = clothes
    np.savez(tmp_path / "data.npz", x=x, y=y, vx=vx, vy=vy)
    path = tmp_path / "run.npz"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, backend, kind, path, tmp_path / "data.npz", SMALL],
        capture_output=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    _, meta = checkpoint.load(path)
    assert (meta["epoch"], meta["step"]) == (1, 3)  # in the middle of the second epoch
    continued = network(backend, seed=99)  # its weights come from the file
    steps = []
    found = fit(
        continued, *clothes, optimizer=optimizer, checkpoint=path, checkpoint_every=3,
        on_step=lambda *step: steps.append(step[:2]), **SETTINGS,
    )  # fmt: skip
    assert steps[0] == (2, 4)
    assert numbers(found) == numbers(expected)
    assert same(continued, whole)
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_finished_training_is_read_back(network, clothes, tmp_path, backend):
    path = tmp_path / "run.npz"
    early = EarlyStopping(1)
    one, two = network(backend), network(backend, seed=8)
    settings = SETTINGS | {"epochs": 30, "optimizer": SGD(0.3), "checkpoint": path}
    history = fit(one, *clothes, early_stopping=early, **settings)
    assert len(history) < 30
    again = fit(two, *clothes, early_stopping=early, on_step=lambda *step: 1 / 0, **settings)
    assert again == history
    assert same(one, two)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 3}, "seed was 2 and is 3"),
        ({"optimizer": Adam()}, r'optimizer was \["SGD", .* and is \["Adam"'),
        ({"epochs": 4}, "epochs was 3 and is 4"),
        ({"network": "INPUT(1, 14, 14) => FC(10)"}, "layers was"),
        ({"backend": "torch"}, 'backend was "numpy" and is "torch"'),
        ({"data": 1}, 'train was "150 images .*" and is "149 images'),
    ],
)
def test_another_training_is_refused(network, clothes, tmp_path, change, words):
    path = tmp_path / "run.npz"
    train, validation = clothes
    settings = (
        SETTINGS | {"epochs": 1, "checkpoint": path} | ({"epochs": 3} if "epochs" in change else {})
    )
    fit(network("numpy"), train, validation, **settings)
    text = change.pop("network", SMALL)
    backend = change.pop("backend", "numpy")
    if change.pop("data", None):
        train = train[0][:149], train[1][:149]
    with pytest.raises(DataError, match=words) as error:
        fit(network(backend, text), train, validation, **settings | change)
    assert "Give the settings it was begun with, another path, or delete it" in str(error.value)


@pytest.mark.parametrize("damage", ["half", "words", "foreign"])
def test_a_damaged_checkpoint_is_refused(network, clothes, tmp_path, damage):
    path = tmp_path / "run.npz"
    settings = SETTINGS | {"epochs": 1, "checkpoint": path}
    fit(network("numpy"), *clothes, **settings)
    if damage == "foreign":
        np.savez(path, a=np.zeros(3))
    else:
        path.write_bytes(path.read_bytes()[:500] if damage == "half" else b"words")
    with pytest.raises(
        DataError, match=r"it is damaged, or no checkpoint\. Delete it to begin anew"
    ):
        fit(network("numpy"), *clothes, **settings)


def test_an_older_format_and_another_ending_are_refused(network, clothes, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "FORMAT", 0)
    checkpoint.save(tmp_path / "old.npz", {}, {})
    monkeypatch.undo()
    with pytest.raises(DataError, match="has format 0, expected 1: another version of cnnlib"):
        checkpoint.load(tmp_path / "old.npz")
    with pytest.raises(DataError, match=r"has the ending '.pt': checkpoints are .npz files"):
        fit(network("numpy"), *clothes, checkpoint=tmp_path / "run.pt", **SETTINGS)
