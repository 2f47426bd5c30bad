"""The training loop: one for networks of both libraries."""

import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from cnnlib.data.augment import draw
from cnnlib.errors import RangeError
from cnnlib.shapes import whole
from cnnlib.training.history import Row
from cnnlib.training.inputs import (
    Pair,
    as_floats,
    check_kinds,
    check_network,
    check_shares,
    checked_images,
    trainer_for,
)
from cnnlib.training.nonfinite import bad_loss
from cnnlib.training.optimizers import SGD, Optimizer
from cnnlib.training.progress import bar, live_plot
from cnnlib.training.schedules import Constant, Cosine, Schedule, factor
from cnnlib.training.state import Augmentation, EarlyStopping, State, digest

__all__ = ["evaluate", "fit"]

ORDER, AUGMENT, DROPOUT = 1, 2, 3  # three kinds of chance, each with a stream of its own
EVALUATED_AT_ONCE = 500
PLAIN, STEADY = SGD(), Constant()


def fit(
    network: Any,
    train: Pair,
    validation: Pair | None = None,
    *,
    optimizer: Optimizer = PLAIN,
    schedule: Schedule = STEADY,
    epochs: int,
    batch_size: int = 64,
    seed: int = 0,
    augmentation: Augmentation | None = None,
    early_stopping: EarlyStopping | None = None,
    checkpoint: str | os.PathLike | None = None,
    checkpoint_every: int | None = None,
    progress: bool = True,
    plot: bool = False,
    on_epoch: Callable[[list[Row]], None] | None = None,
    on_step: Callable[[int, int, float], None] | None = None,
    **torch_options: Any,
) -> list[Row]:
    """Train a network that :func:`cnnlib.diagram.build` made; its weights change in place.

    Every epoch the images are shuffled anew and cut into batches; the last may be smaller. The loss is
    softmax cross-entropy, so the network must give scores: leave SOFTMAX out of its diagram. All chance
    comes from `seed` and the number of the step: the same call gives the same weights bit for bit on the
    CPU (with the same number of threads), also after having been stopped and continued.

    Parameters
    ----------
    network : Network of NumPy or torch
    train, validation : (images, labels)
        Images (N, C, H, W) or (N, D): floats, or uint8, which are divided by 255 batch by batch.
        Labels (N,), integers from 0. `validation` is looked at behind every epoch.
    optimizer : SGD or Adam
        Without it SGD with a rate of 0.1 and momentum 0.9.
    schedule : Constant, StepDown or Cosine
        Without it the rate stays as it is.
    epochs, batch_size : int
        At least 1.
    seed : int
        At least 0: for the order, the augmentation and dropout. The first weights have the seed that
        the network was built with.
    augmentation : Augmentation, optional
        Mirror and move the training images.
    early_stopping : EarlyStopping, optional
        Needs `validation`.
    checkpoint : path, optional
        An ``.npz`` file, written behind every epoch. If it is there the training goes on from it; all
        settings must be those it was begun with.
    checkpoint_every : int, optional
        Write it also after so many steps.
    progress, plot : bool
        Show a bar (needs tqdm); draw the losses as they come, in a notebook.
    on_epoch : callable, optional
        Called with the history behind every epoch.
    on_step : callable, optional
        Called after every step with epoch and step, from 1, and the batch's mean loss.
    device : str
        Torch only, as all that follow. ``"cpu"`` (default), ``"cuda"``, ``"mps"``, or ``"auto"``.
    precision : {"float32", "bfloat16", "float16"}
        Mixed precision where it is not ``"float32"``; in ``"float16"`` the loss is scaled.
    channels_last : bool
        Keep images and filters in the order N, H, W, C, which many graphics cards prefer.
    compile : bool or str
        ``torch.compile``; a text names its backend.
    accumulate : int
        Compute each batch in so many parts, to need less memory. Without BN the result is the same up
        to rounding; with BN each part has statistics of its own.
    distributed : bool
        Share each batch among the processes that ``torchrun`` started.

    Returns
    -------
    list of dict
        A row for each epoch, see :mod:`cnnlib.training.history`.

    Raises
    ------
    NotFiniteError
        At the epoch, step and layer where NaN or infinity came up.
    DataError
        If the checkpoint is damaged or from a training with other settings.
    ShapeError, DtypeError, RangeError
        If an argument is not as described.

    Examples
    --------
    >>> from cnnlib.diagram import build
    >>> network = build("INPUT(1, 4, 4) => FC(2)")
    >>> x = np.repeat(np.eye(2, dtype=np.float32), 8, axis=1).reshape(2, 1, 4, 4)
    >>> history = fit(network, (x, np.array([0, 1])), epochs=20, batch_size=2, progress=False)
    >>> len(history), history[-1]["train_accuracy"]
    (20, 1.0)
    """
    epochs, batch_size = whole("epochs", epochs, 1), whole("batch_size", batch_size, 1)
    seed = whole("seed", seed, 0)
    check_kinds(optimizer, schedule)
    if early_stopping and validation is None:
        raise RangeError(
            "early_stopping is given without validation: it watches the validation loss. "
            "Give validation=(images, labels) or leave early_stopping out."
        )
    check_network(network)
    train = checked_images("train", train, network)
    validation = None if validation is None else checked_images("validation", validation, network)
    n = len(train[1])
    steps = -(-n // batch_size)
    if isinstance(schedule, Cosine) and schedule.warmup >= steps * epochs:
        raise RangeError(
            f"warmup={schedule.warmup} steps, and the whole training has {steps * epochs}: nothing is "
            "left for the cosine. Give fewer, or more epochs."
        )
    trainer = trainer_for(network, optimizer, torch_options)
    check_shares(trainer.world, n, batch_size)
    settings: dict[str, Any] = {
        "layers": [f"{step.name} {step.layer}" for step in network.plan.layers()],
        "optimizer": [type(optimizer).__name__, asdict(optimizer)],
        "schedule": [type(schedule).__name__, asdict(schedule)],
        "epochs": epochs,
        "batch_size": batch_size,
        "seed": seed,
        "augmentation": asdict(augmentation) if augmentation else None,
        "early_stopping": asdict(early_stopping) if early_stopping else None,
    }
    with trainer:
        run = State(trainer, checkpoint, settings | trainer.describe())
        if checkpoint is not None:
            run.settings |= {"train": digest(train), "validation": digest(validation)}
            run.resume()
        show = bar(steps * epochs, run.epoch * steps + run.step, progress and trainer.rank == 0)
        draw_plot = live_plot() if plot and trainer.rank == 0 else None
        rate = 0.0
        with show:
            while run.epoch < epochs and not run.stopped(early_stopping):
                began, before = time.perf_counter(), run.sums["seconds"]
                order = np.random.default_rng([seed, ORDER, run.epoch]).permutation(n)
                while run.step < steps:
                    step, when = run.epoch * steps + run.step, (run.epoch + 1, run.step + 1)
                    rate = optimizer.learning_rate * factor(schedule, step, steps, epochs)
                    chosen = order[run.step * batch_size : (run.step + 1) * batch_size]
                    rng = np.random.default_rng([seed, AUGMENT, run.epoch, run.step])
                    draws = draw(rng, len(chosen), **asdict(augmentation)) if augmentation else None
                    x = as_floats(train[0][chosen], trainer.dtype)
                    chance = (seed, DROPOUT, run.epoch, run.step)
                    loss, right = trainer.step(x, train[1][chosen], draws, rate, chance, when)
                    run.add(loss, right, len(chosen))
                    run.sums["seconds"] = before + time.perf_counter() - began
                    if checkpoint_every and run.step % checkpoint_every == 0 and run.step < steps:
                        run.save()
                    show.update()
                    if on_step:
                        on_step(*when, loss)
                trainer.agree()
                row = run.row(rate)
                if validation is not None:
                    looked = evaluate_with(trainer, validation)
                    if not math.isfinite(looked["loss"]):
                        x = as_floats(validation[0][:EVALUATED_AT_ONCE], trainer.dtype)
                        raise bad_loss(
                            network.eval(),
                            trainer.given(x),
                            looked["loss"],
                            (run.epoch + 1, steps),
                            rate,
                        )
                    row |= {f"validation_{name}": value for name, value in looked.items()}
                row["seconds"] = before + time.perf_counter() - began
                run.end_epoch(row, early_stopping)
                run.save()
                show.set_postfix({k: f"{v:.3f}" for k, v in row.items() if k.endswith("loss")})
                if draw_plot:
                    draw_plot(run.history)
                if on_epoch:
                    on_epoch(run.history)
        if run.best:
            network.load_arrays(run.best)
    return run.history


def evaluate(network: Any, data: Pair, **torch_options: Any) -> dict[str, float]:
    """Mean loss and accuracy of a network on images, in evaluation mode; its mode is training after it.

    Parameters
    ----------
    network : Network of NumPy or torch
    data : (images, labels)
        As for :func:`fit`.
    device, precision, channels_last, distributed
        As for :func:`fit`; torch only.

    Returns
    -------
    dict
        ``loss``, a mean of −log p in nats, and ``accuracy`` from 0 to 1.
    """
    check_network(network)
    data = checked_images("data", data, network)
    with trainer_for(network, SGD(), torch_options) as trainer:
        return evaluate_with(trainer, data)


def evaluate_with(trainer: Any, data: Pair) -> dict[str, float]:
    """:func:`evaluate`, with a trainer that is there already."""
    loss, right = 0.0, 0
    for first in range(0, len(data[1]), EVALUATED_AT_ONCE):
        part = slice(first, first + EVALUATED_AT_ONCE)
        more, hits = trainer.evaluate(as_floats(data[0][part], trainer.dtype), data[1][part])
        loss, right = loss + more, right + hits
    return {"loss": loss / len(data[1]), "accuracy": right / len(data[1])}
