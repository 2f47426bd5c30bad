"""One run, of one arm with one seed: from nothing, or from where it was stopped, to its record."""

import math
import statistics
import time
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from cnnlib.data import fashion_mnist, fashion_mnist_subset
from cnnlib.diagram import build
from cnnlib.errors import DataError, NotFiniteError
from cnnlib.training.checkpoint import differences
from cnnlib.training.experiments.plan import SIZES, Arm, Experiment, Size
from cnnlib.training.experiments.records import Record, about, read, record_path, write
from cnnlib.training.history import Row
from cnnlib.training.loop import evaluate, fit
from cnnlib.training.optimizers import SGD, Adam
from cnnlib.training.schedules import Cosine

__all__ = ["one_run", "run_by_name", "settings_of"]

MEAN, SPREAD = 0.2860, 0.3530  # of all training images' pixels, from 0 to 1
GUESSING = 0.1
LOOKED_AT = 10_000  # training images whose accuracy is taken in evaluation mode

Pair = tuple[np.ndarray, np.ndarray]


@cache
def images(size: Size, bundled: bool) -> tuple[str, Pair, Pair, Pair]:
    """The data set's name, and images with labels: to train, to validate, to test.

    Images (N, 1, 28, 28) float32 with mean 0 and spread 1 over the training set. To validate are the last
    of the training files.
    """
    if bundled:
        name, data = "the bundled part of Fashion-MNIST", fashion_mnist_subset()
    else:
        name, data = "Fashion-MNIST", fashion_mnist()
    total = len(data.train_labels)
    if size.train + size.validation > total or size.test > len(data.test_labels):
        raise DataError(
            f"{name} has {total} images to train and {len(data.test_labels)} to test, and "
            f"{size.train + size.validation} and {size.test} are needed: install the whole of Fashion-MNIST "
            "(Debian's package dataset-fashion-mnist), or give --size slice."
        )

    def pair(images: np.ndarray, labels: np.ndarray, part: slice) -> Pair:
        x = images[part, None].astype(np.float32) / np.float32(255)
        return (x - np.float32(MEAN)) / np.float32(SPREAD), labels[part]

    train = data.train_images, data.train_labels
    return (
        name,
        pair(*train, slice(size.train)),
        pair(*train, slice(total - size.validation, total)),
        pair(data.test_images, data.test_labels, slice(size.test)),
    )


def settings_of(experiment: Experiment, arm: str, seed: int, size: str) -> dict[str, Any]:
    """Everything that decides a run's result, as it stands in its record."""
    images = _size(experiment, size)
    return {
        "experiment": experiment.name,
        "arm": arm,
        "seed": seed,
        "size": size,
        "data": "bundled" if size == "slice" else "whole",
        "images": asdict(images),
        "epochs": experiment.epochs[size],
        "batch_size": experiment.batch_size,
        "schedule": "cosine",
        "target": experiment.target,
        "measures": experiment.measures,
        **asdict(experiment.arms[arm]),
    }


def one_run(
    experiment: Experiment, arm: str, seed: int, size: str, folder: Path, work: Path
) -> Record:
    """The record of a run, read if it is there and else made.

    Parameters
    ----------
    experiment : Experiment
    arm : str
    seed : int
    size : str
        One of :data:`cnnlib.training.experiments.plan.SIZES`.
    folder : path
        Of the records.
    work : path
        Where a run that is under way keeps its checkpoint; it goes on from there if it was killed.

    Raises
    ------
    DataError
        If a record is there that was made with other settings, or the data are missing.
    """
    path = record_path(folder, size, experiment.name, arm, seed)
    settings = settings_of(experiment, arm, seed, size)
    if record := read(path):
        if others := differences(record["settings"], settings):
            raise DataError(
                f"{path} was made with other settings: {'; '.join(others)}. Delete it to run anew, or give "
                "another folder with --records."
            )
        return record
    began = time.perf_counter()
    measure = _timed if experiment.measures == "time" else _trained
    checkpoint = work / size / experiment.name / f"{arm}.seed{seed}.npz"
    result, history = measure(experiment, experiment.arms[arm], seed, size, checkpoint)
    seconds = time.perf_counter() - began
    record = {"settings": settings, "result": result, "history": history, "about": about(seconds)}
    write(path, record)
    checkpoint.unlink(missing_ok=True)
    return record


def run_by_name(name: str, arm: str, seed: int, size: str, folder: Path, work: Path) -> Record:
    """:func:`one_run` on one thread, for a process that was started for it."""
    import torch

    from cnnlib.training.experiments import EXPERIMENTS

    torch.set_num_threads(1)
    return one_run(EXPERIMENTS[name], arm, seed, size, folder, work)


def _size(experiment: Experiment, size: str) -> Size:
    whole = SIZES[size]
    return replace(whole, train=min(whole.train, experiment.train.get(size, whole.train)))


def _trained(
    experiment: Experiment, arm: Arm, seed: int, size: str, checkpoint: Path
) -> tuple[dict[str, Any], list[Row]]:
    _, train, validation, test = images(_size(experiment, size), bundled=size == "slice")
    network = build(arm.diagram, backend=arm.backend, seed=seed)
    epochs = experiment.epochs[size]
    parameters = sum(math.prod(s) for step in network.plan.layers() for s in step.arrays.values())
    history: list[Row] = []
    try:
        history = fit(
            network,
            train,
            validation,
            optimizer=(Adam if arm.optimizer == "adam" else SGD)(arm.learning_rate),
            schedule=Cosine(),
            epochs=epochs,
            batch_size=experiment.batch_size,
            seed=seed,
            checkpoint=checkpoint,
            checkpoint_every=100,
            progress=False,
        )
    except NotFiniteError as error:
        # A training that is lost is a result too: it counts as guessing.
        lost = {"epoch": error.epoch, "step": error.step, "layer": error.layer}
        return _guessing(epochs) | {"parameters": parameters, "diverged": lost}, []
    on_train = evaluate(network, (train[0][:LOOKED_AT], train[1][:LOOKED_AT]))
    on_test = evaluate(network, test)
    rows = [{name: value for name, value in row.items() if name != "seconds"} for row in history]
    result = {
        "test_accuracy": on_test["accuracy"],
        "test_loss": on_test["loss"],
        "train_accuracy": on_train["accuracy"],
        "train_loss": on_train["loss"],
        "gap": on_train["accuracy"] - on_test["accuracy"],
        "validation_accuracy": rows[-1]["validation_accuracy"],
        "epochs_to_target": _epochs_to(experiment.target, rows),
        "jitter": statistics.fmean(row["train_jitter"] for row in rows),
        "parameters": parameters,
        "diverged": None,
    }
    return result, rows


def _guessing(epochs: int) -> dict[str, Any]:
    """The result of a training that was lost."""
    return {
        "test_accuracy": GUESSING,
        "test_loss": math.log(10),
        "train_accuracy": GUESSING,
        "train_loss": math.log(10),
        "gap": 0.0,
        "validation_accuracy": GUESSING,
        "epochs_to_target": float(epochs + 1),
        "jitter": None,
    }


def _epochs_to(target: float, rows: list[Row]) -> float:
    """Epochs until the validation accuracy reaches the target, on straight lines from guessing at 0.

    One more than all if it never does.
    """
    before = GUESSING
    for epoch, row in enumerate(rows):
        accuracy = row["validation_accuracy"]
        if accuracy >= target:
            return epoch + (target - before) / (accuracy - before) if accuracy > before else epoch
        before = accuracy
    return float(len(rows) + 1)


def _timed(
    experiment: Experiment, arm: Arm, seed: int, size: str, checkpoint: Path
) -> tuple[dict[str, Any], list[Row]]:
    """Steps with BN and without it in turn: the ratio of the medians of their thread time."""
    without = arm.diagram.replace(" => BN", "")
    x = np.random.default_rng(seed).standard_normal((experiment.batch_size, 1, 28, 28), np.float32)
    labels = np.arange(len(x)) % 10
    steps = 3 if size == "slice" else 40
    networks = [build(text, backend=arm.backend, seed=seed) for text in (arm.diagram, without)]
    times: list[list[float]] = [[], []]
    for _ in range(steps + 2):
        for network, taken in zip(networks, times, strict=True):
            began = time.thread_time()
            fit(network, (x, labels), epochs=1, batch_size=len(x), progress=False)
            taken.append(time.thread_time() - began)
    with_bn, bare = (statistics.median(taken[2:]) for taken in times)
    return {"seconds_with": with_bn, "seconds_without": bare, "ratio": with_bn / bare}, []
