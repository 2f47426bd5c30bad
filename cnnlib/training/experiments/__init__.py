"""The experiments that settle the course's empirical claims, and what to make of their records.

::

    python -m cnnlib.training.experiments list
    python -m cnnlib.training.experiments run pool_or_conv --jobs 2
    python -m cnnlib.training.experiments show pool_or_conv

Each module below :mod:`cnnlib.training.experiments.plan` of the names in :data:`EXPERIMENTS` holds one
experiment as plain data, written down before it was run. In the book::

    records = load_records("pool_or_conv")
    table(EXPERIMENTS["pool_or_conv"], records)          # means with intervals, a row for each arm
    verdict(EXPERIMENTS["pool_or_conv"], "M7.1", records)  # a row for the ledger
"""

from cnnlib.training.experiments import (
    batch_norm,
    batch_norm_time,
    dropout,
    fc_or_cnn,
    filter_sizes,
    norm_and_dropout,
    pool_or_conv,
    zero_padding,
)
from cnnlib.training.experiments.analysis import compare, interval, table, verdict
from cnnlib.training.experiments.plan import SEEDS, SIZES, Arm, Comparison, Experiment
from cnnlib.training.experiments.records import load_records

__all__ = [
    "EXPERIMENTS",
    "SEEDS",
    "SIZES",
    "Arm",
    "Comparison",
    "Experiment",
    "compare",
    "interval",
    "load_records",
    "table",
    "verdict",
]

EXPERIMENTS: dict[str, Experiment] = {
    module.EXPERIMENT.name: module.EXPERIMENT
    for module in (
        fc_or_cnn,
        batch_norm,
        batch_norm_time,
        pool_or_conv,
        zero_padding,
        dropout,
        filter_sizes,
        norm_and_dropout,
    )
}
"""By name, in the order of the issue they settle."""
