"""Training networks, and the recorded experiments that the course's claims rest on.

::

    network = build("INPUT(1, 28, 28) => CONV(16) => RELU => POOL => FC(10)", backend="torch")
    history = fit(network, (x, labels), epochs=3, optimizer=Adam(), schedule=Cosine())

From a shell: ``python -m cnnlib.training --help``, ``python -m cnnlib.training.experiments --help``.
"""

from cnnlib.training.history import read_csv, to_csv
from cnnlib.training.loop import evaluate, fit
from cnnlib.training.optimizers import SGD, Adam
from cnnlib.training.progress import plot_history
from cnnlib.training.schedules import Constant, Cosine, StepDown
from cnnlib.training.state import Augmentation, EarlyStopping

__all__ = [
    "SGD",
    "Adam",
    "Augmentation",
    "Constant",
    "Cosine",
    "EarlyStopping",
    "StepDown",
    "evaluate",
    "fit",
    "plot_history",
    "read_csv",
    "to_csv",
]
