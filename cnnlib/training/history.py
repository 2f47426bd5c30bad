"""What a training leaves behind: a table with a row for each epoch, and the way to a CSV file and back.

======================  =========================================================================
epoch                   counted from 1
learning_rate           of the epoch's last step
train_loss              mean over the epoch's images, while the weights changed, dropout at work
train_accuracy          likewise, from 0 to 1
train_jitter            how unsteady the loss is from step to step: √(mean (lₜ₊₁ − lₜ)² / 2), which a
                        steady fall hardly raises
validation_loss         behind the epoch, in evaluation mode; absent without validation images
validation_accuracy     likewise, from 0 to 1
seconds                 of wall time, validation included
======================  =========================================================================

References
----------
von Neumann, Kent, Bellinson and Hart (1941), *The mean square successive difference* (the jitter).
"""

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnnlib.data.files import write_whole
from cnnlib.errors import DataError

__all__ = ["Row", "read_csv", "to_csv"]

Row = dict[str, Any]


def to_csv(history: Sequence[Row], path: str | os.PathLike) -> None:
    """Write a history to a CSV file, a column for each name that any row has.

    Floats keep all their digits. The file is written whole or not at all.
    """
    names = list(dict.fromkeys(name for row in history for name in row))

    def write(part: Path) -> None:
        with open(part, "w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, names, restval="", lineterminator="\n")
            table.writeheader()
            table.writerows(history)

    write_whole(path, write)


def read_csv(path: str | os.PathLike) -> list[Row]:
    """Read what :func:`to_csv` wrote; epochs are whole numbers, everything else floats.

    Raises
    ------
    DataError
        If the file has no column ``epoch``, or a cell is no number.
    """
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    try:
        return [
            {n: int(v) if n == "epoch" else float(v) for n, v in row.items() if v != ""}
            | {"epoch": int(row["epoch"])}
            for row in rows
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{path} is no table of a training ({error!r}): it needs a column epoch, and numbers in all "
            "cells. Give a file that to_csv wrote."
        ) from error
