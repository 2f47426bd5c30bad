"""What torch can do besides: parts of a batch, memory order, mixed precision, compiling, several processes."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from cnnlib.training import SGD, Adam, Augmentation, fit
from tests.training.small import PLAIN, SMALL

SETTINGS = {"epochs": 2, "batch_size": 32, "progress": False, "optimizer": SGD(0.05)}


def trained(network, clothes, text=PLAIN, **settings):
    one = network("torch", text)
    history = fit(one, *clothes, **SETTINGS | settings)
    return one.to_arrays(), history


def close(a, b, tolerance):
    for name, array in a.items():
        np.testing.assert_allclose(array, b[name], tolerance, tolerance, err_msg=name)


def test_parts_of_a_batch_give_the_same_gradient(network, clothes):
    whole, history = trained(network, clothes, augmentation=Augmentation(reach=1))
    parts, other = trained(network, clothes, augmentation=Augmentation(reach=1), accumulate=3)
    close(whole, parts, 1e-4)
    assert history[-1]["train_loss"] == pytest.approx(other[-1]["train_loss"], rel=1e-4)


@pytest.mark.parametrize("settings", [{"channels_last": True}, {"compile": "eager"}], ids=str)
def test_memory_order_and_compiling_change_nothing(network, clothes, settings):
    plain, _ = trained(network, clothes)
    other, _ = trained(network, clothes, **settings)
    close(plain, other, 1e-4)


def test_mixed_precision_learns_and_keeps_weights_in_float32(network, clothes):
    plain, history = trained(network, clothes)
    mixed, other = trained(network, clothes, precision="bfloat16")
    assert all(array.dtype == np.float32 for array in mixed.values())
    assert any(not np.array_equal(plain[name], mixed[name]) for name in plain)
    assert other[-1]["train_loss"] == pytest.approx(history[-1]["train_loss"], rel=0.1)


def test_the_device_is_taken(network, clothes):
    one = network("torch", PLAIN)
    fit(one, *clothes, **SETTINGS | {"epochs": 1}, device="auto")
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    if not torch.backends.mps.is_available():
        assert next(one.parameters()).device.type == expected


SCRIPT = """
import os, sys
import numpy as np, torch
torch.set_num_threads(1)
from cnnlib.diagram import build
from cnnlib.training import *
out, arrays, text = sys.argv[1:]
data = np.load(arrays)
one = build(text, backend="torch")
torch.manual_seed(int(os.environ["RANK"]))
history = fit(one, (data["x"], data["y"]), (data["vx"], data["vy"]), optimizer=Adam(0.003), epochs=2,
              batch_size=31, seed=4, augmentation=Augmentation(reach=1), progress=False,
              distributed=True, accumulate=2, checkpoint=out + ".npz")
np.savez(f"{out}.{os.environ['RANK']}.npz", **one.to_arrays(),
         losses=[[row["train_loss"], row["validation_loss"], row["train_accuracy"]] for row in history])
"""


def in_two_processes(tmp_path, clothes, text):
    """Trained by torchrun in two processes with gloo; what each of them ends with."""
    (x, y), (vx, vy) = clothes
    np.savez(tmp_path / "data.npz", x=x[:149], y=y[:149], vx=vx, vy=vy)
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
    ]
    command += [tmp_path / "script.py", tmp_path / "out", tmp_path / "data.npz", text]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [dict(np.load(tmp_path / f"out.{rank}.npz")) for rank in (0, 1)]


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no processes")
def test_two_processes_give_what_one_gives(network, clothes, tmp_path):
    """Batches of 31: the shares of 16 and 15 images must be weighed rightly."""
    (x, y), validation = clothes
    first, second = in_two_processes(tmp_path, clothes, PLAIN)
    one = network("torch", PLAIN)
    history = fit(
        one, (x[:149], y[:149]), validation, optimizer=Adam(0.003), epochs=2, batch_size=31, seed=4,
        augmentation=Augmentation(reach=1), progress=False,
    )  # fmt: skip
    assert all(np.array_equal(first[name], second[name]) for name in first)
    rows = [[row["train_loss"], row["validation_loss"], row["train_accuracy"]] for row in history]
    np.testing.assert_allclose(first.pop("losses"), rows, 1e-4)
    close(one.to_arrays(), first, 2e-4)


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no processes")
def test_with_bn_and_dropout_two_processes_end_alike(clothes, tmp_path):
    first, second = in_two_processes(tmp_path, clothes, SMALL)
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert first["losses"][-1][0] < first["losses"][0][0]
