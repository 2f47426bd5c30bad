"""Training from a shell: ``python -m cnnlib.training "CONV(16) => RELU => POOL => FC(10)" --epochs 3``."""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cnnlib import data
from cnnlib.diagram import build, parse, zoo
from cnnlib.diagram.tree import Chain, Layer
from cnnlib.errors import CnnlibError, RangeError
from cnnlib.shapes import whole
from cnnlib.training.history import to_csv
from cnnlib.training.inputs import Pair
from cnnlib.training.loop import evaluate, fit
from cnnlib.training.optimizers import SGD, Adam, Optimizer
from cnnlib.training.schedules import Constant, Cosine, Schedule, StepDown
from cnnlib.training.state import Augmentation, EarlyStopping

EXIT = "Exit code 0: all is well. 1: an error, which is said. 2: the command was not understood."
DATA = ("fashion-mnist", "fashion-mnist-subset", "cifar-10", "shapes32")


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the arguments say and return the exit code."""
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):  # a console that cannot show × gets ? in its place
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        _train(options)
    except CnnlibError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cnnlib.training",
        description="Train the network of a diagram. On several devices: torchrun --nproc-per-node 2 -m "
        "cnnlib.training … --backend torch",
        epilog=EXIT,
    )
    add = parser.add_argument
    add("diagram", help=f"a diagram, without INPUT if you like, or one of {', '.join(zoo.NAMES)}")
    part = parser.add_argument_group("data")
    add = part.add_argument
    add("--data", choices=DATA, default=DATA[0], help=f"{DATA[0]} if not given")
    add("--folder", type=Path, help="where its files are, or go")
    add("--download", action="store_true", help="fetch them if they are missing")
    add("--train", type=int, metavar="N", help="take only the first N images to train")
    add(
        "--validation",
        type=int,
        default=1000,
        metavar="N",
        help="of the training images, the last N (1000)",
    )
    add("--flip", action="store_true", help="mirror half of the images")
    add(
        "--reach",
        type=int,
        default=0,
        metavar="PIXELS",
        help="move images by up to so many pixels (0)",
    )
    part = parser.add_argument_group("training")
    add = part.add_argument
    add("--epochs", type=int, default=5, help="(5)")
    add("--batch-size", type=int, default=64, help="(64)")
    add("--optimizer", choices=("sgd", "adam"), default="sgd", help="(sgd)")
    add("--learning-rate", type=float, help="0.1 with sgd, 0.001 with adam, if not given")
    add("--momentum", type=float, default=0.9, help="of sgd (0.9)")
    add("--weight-decay", type=float, default=0.0, help="(0)")
    add("--schedule", choices=("constant", "step", "cosine"), default="cosine", help="(cosine)")
    add("--every", type=int, default=1, help="epochs between the steps of --schedule step (1)")
    add("--gamma", type=float, default=0.1, help="by which they multiply the rate (0.1)")
    add("--warmup", type=int, default=0, metavar="STEPS", help="over which the rate rises (0)")
    add("--patience", type=int, help="stop after so many epochs without a lower validation loss")
    add("--seed", type=int, default=0, help="(0)")
    part = parser.add_argument_group("results")
    add = part.add_argument
    add(
        "--checkpoint",
        type=Path,
        metavar="FILE.npz",
        help="kept as the training goes; it goes on from there",
    )
    add("--checkpoint-every", type=int, metavar="STEPS", help="keep it inside an epoch too")
    add("--history", type=Path, metavar="FILE.csv", help="write the table of the epochs")
    add("--save", type=Path, metavar="FILE.safetensors", help="write the weights")
    part = parser.add_argument_group("computing")
    add = part.add_argument
    add("--backend", choices=("numpy", "torch"), default="torch", help="(torch)")
    add("--threads", type=int, help="of torch; all cores if not given")
    add("--device", default="cpu", help="cpu, cuda, mps or auto (cpu)")
    add(
        "--precision",
        choices=("float32", "bfloat16", "float16"),
        default="float32",
        help="(float32)",
    )
    add("--channels-last", action="store_true", help="the order that many graphics cards prefer")
    add("--compile", action="store_true", help="torch.compile")
    add(
        "--accumulate", type=int, default=1, metavar="PARTS", help="compute each batch in parts (1)"
    )
    return parser


def _train(options: argparse.Namespace) -> None:
    train, test = _data(options)
    n = len(train[1]) - whole("validation", options.validation, 0)
    if n < 1:
        raise RangeError(
            f"validation={options.validation} leaves none of the {len(train[1])} images to train: give fewer."
        )
    validation = (train[0][n:], train[1][n:]) if options.validation else None
    several = int(os.environ.get("WORLD_SIZE", "1")) > 1
    torch_options = {}
    if options.backend == "torch":
        if options.threads:
            import torch

            torch.set_num_threads(options.threads)
        names = ("device", "precision", "channels_last", "compile", "accumulate")
        torch_options = {name: getattr(options, name) for name in names} | {"distributed": several}
    network = build(
        _scores(options.diagram), train[0].shape[1:], backend=options.backend, seed=options.seed
    )
    first = os.environ.get("RANK", "0") == "0"
    limit = whole("train", options.train, 1) if options.train is not None else n
    moved = options.flip or options.reach
    history = fit(
        network,
        (train[0][: min(n, limit)], train[1][: min(n, limit)]),
        validation,
        optimizer=_optimizer(options),
        schedule=_schedule(options),
        epochs=options.epochs,
        batch_size=options.batch_size,
        seed=options.seed,
        augmentation=Augmentation(options.flip, options.reach) if moved else None,
        early_stopping=EarlyStopping(options.patience) if options.patience is not None else None,
        checkpoint=options.checkpoint,
        checkpoint_every=options.checkpoint_every,
        progress=first,
        **torch_options,
    )
    if not first:
        return
    for row in history:
        print(
            "  ".join(
                f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()
            )
        )
    alone = {
        k: v for k, v in torch_options.items() if k in ("device", "precision", "channels_last")
    }
    found = evaluate(network, test, **alone)
    print(f"test loss {found['loss']:.4f}  test accuracy {found['accuracy']:.4f}")
    if options.history:
        to_csv(history, options.history)
    if options.save:
        network.save(options.save)


def _data(options: argparse.Namespace) -> tuple[Pair, Pair]:
    """Images (N, C, H, W) uint8 with labels, to train and to test."""
    if options.data == "shapes32":
        n = options.train + options.validation if options.train else 10_000
        return (
            data.shapes32(n, seed=0, folder=options.folder),
            data.shapes32(2_000, seed=1, folder=options.folder),
        )
    found: data.FashionMnist | data.Cifar10
    if options.data == "cifar-10":
        found = data.cifar10(options.folder, download=options.download)
    elif options.data == "fashion-mnist":
        found = data.fashion_mnist(options.folder, download=options.download)
    else:
        found = data.fashion_mnist_subset()
    images, test_images = (
        x[:, None] if x.ndim == 3 else x for x in (found.train_images, found.test_images)
    )
    return (images, found.train_labels), (np.ascontiguousarray(test_images), found.test_labels)


def _scores(diagram: str) -> str:
    """The diagram without a SOFTMAX at its end, which the loss includes."""
    text = getattr(zoo, diagram) if diagram in zoo.NAMES else diagram
    tree = parse(text)
    last = tree.items[-1] if tree.items else None
    if isinstance(last, Layer) and last.kind == "SOFTMAX":
        return str(Chain(tree.items[:-1]))
    return text


def _optimizer(options: argparse.Namespace) -> Optimizer:
    if options.optimizer == "adam":
        return Adam(
            0.001 if options.learning_rate is None else options.learning_rate,
            weight_decay=options.weight_decay,
        )
    rate = 0.1 if options.learning_rate is None else options.learning_rate
    return SGD(rate, options.momentum, options.weight_decay)


def _schedule(options: argparse.Namespace) -> Schedule:
    if options.schedule == "step":
        return StepDown(options.every, options.gamma, options.warmup)
    return (Cosine if options.schedule == "cosine" else Constant)(options.warmup)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)
