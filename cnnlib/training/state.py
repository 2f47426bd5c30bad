"""Where a training stands: epoch, step, what was summed up so far, and the best weights; in a file too."""

import math
import os
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnlib.errors import DataError, RangeError
from cnnlib.shapes import whole
from cnnlib.training import checkpoint as files
from cnnlib.training.history import Row

__all__ = ["Augmentation", "EarlyStopping", "State", "digest"]


@dataclass(frozen=True)
class EarlyStopping:
    """Stop where the validation loss has not fallen for a while, and go back to the best weights.

    Parameters
    ----------
    patience : int
        Stop after so many epochs in a row without a new best.
    least : float
        A new best is lower than the old one by more than this.

    References
    ----------
    Prechelt (1998), *Early stopping, but when?*, section 2 (the class UP, which counts rises in a row).
    """

    patience: int = 3
    least: float = 0.0

    def __post_init__(self) -> None:
        whole("patience", self.patience, 1)
        if not 0 <= self.least < math.inf:
            raise RangeError(f"least={self.least!r} must be a number of at least 0: 0 is usual.")


@dataclass(frozen=True)
class Augmentation:
    """What :func:`cnnlib.data.augment.draw` is asked for, at each step anew.

    Parameters
    ----------
    flip : bool
        Mirror half of the images.
    reach : int
        Move by up to so many pixels along each axis.
    """

    flip: bool = True
    reach: int = 4

    def __post_init__(self) -> None:
        whole("reach", self.reach, 0)


class State:
    """A training in the middle, with the file it is kept in.

    Parameters
    ----------
    trainer : NumpyTrainer or TorchTrainer
    path : path or None
        Of the checkpoint; without it nothing is written.
    settings : dict
        What must be the same when the training goes on.
    """

    def __init__(
        self, trainer: Any, path: str | os.PathLike | None, settings: dict[str, Any]
    ) -> None:
        self.trainer, self.path, self.settings = trainer, path, settings
        self.epoch = self.step = 0
        self.history: list[Row] = []
        self.sums = _zeros()
        self.best: dict[str, np.ndarray] = {}
        self.best_loss, self.since_best = math.inf, 0

    # --- counting ---------------------------------------------------------------------------------

    def add(self, loss: float, right: int, images: int) -> None:
        """Count a step that was made."""
        sums = self.sums
        sums["loss"] += loss * images
        sums["right"] += right
        sums["images"] += images
        if self.step:
            sums["jumps"] += (loss - sums["last"]) ** 2
        sums["last"] = loss
        self.step += 1

    def row(self, rate: float) -> Row:
        """The table's row of the epoch whose steps are all made."""
        sums = self.sums
        return {
            "epoch": self.epoch + 1,
            "learning_rate": rate,
            "train_loss": sums["loss"] / sums["images"],
            "train_accuracy": sums["right"] / sums["images"],
            "train_jitter": math.sqrt(sums["jumps"] / 2 / max(self.step - 1, 1)),
        }

    def end_epoch(self, row: Row, early: EarlyStopping | None) -> None:
        """Go on to the next epoch, and keep the weights if early stopping may want them back."""
        self.history.append(row)
        self.epoch, self.step, self.sums = self.epoch + 1, 0, _zeros()
        if early is None:
            return
        self.since_best += 1
        if row["validation_loss"] < self.best_loss - early.least:
            self.best_loss, self.since_best = row["validation_loss"], 0
            self.best = self.trainer.network.to_arrays()

    def stopped(self, early: EarlyStopping | None) -> bool:
        """Whether early stopping has had enough."""
        return early is not None and self.since_best >= early.patience

    # --- the file ---------------------------------------------------------------------------------

    def save(self) -> None:
        """Write the checkpoint; in a group of processes the first one does."""
        if self.path is None or self.trainer.rank:
            return
        arrays: dict[str, np.ndarray] = {}
        for part, found in (
            ("network", self.trainer.network.to_arrays()),
            ("optimizer", self.trainer.arrays()),
            ("best", self.best),
        ):
            arrays |= {f"{part}:{name}": array for name, array in found.items()}
        meta = {name: getattr(self, name) for name in _KEPT}
        meta["best_loss"] = None if math.isinf(self.best_loss) else self.best_loss
        meta |= {"settings": self.settings, "extra": self.trainer.extra()}
        files.save(self.path, arrays, meta)

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one.

        Raises
        ------
        DataError
            If it is damaged, or belongs to a training with other settings.
        """
        assert self.path is not None
        found = files.load(self.path)
        if found is None:
            return
        arrays, meta = found
        if others := files.differences(meta["settings"], self.settings):
            raise DataError(
                f"checkpoint={os.fspath(self.path)!r} belongs to another training: {'; '.join(others)}. "
                "Give the settings it was begun with, another path, or delete it to begin anew."
            )
        parts: dict[str, dict[str, np.ndarray]] = {"network": {}, "optimizer": {}, "best": {}}
        for name, array in arrays.items():
            part, _, rest = name.partition(":")
            parts[part][rest] = array
        self.trainer.network.load_arrays(parts["network"])
        self.trainer.load(parts["optimizer"], meta["extra"])
        self.best = parts["best"]
        for name in _KEPT:
            setattr(self, name, meta[name])
        self.best_loss = math.inf if meta["best_loss"] is None else meta["best_loss"]


_KEPT = ("epoch", "step", "history", "sums", "since_best")


def _zeros() -> dict[str, float]:
    return {"loss": 0.0, "right": 0, "images": 0, "jumps": 0.0, "last": 0.0, "seconds": 0.0}


def digest(data: tuple[np.ndarray, np.ndarray] | None) -> str | None:
    """A short text that differs where images or labels do (CRC-32: against mistakes, not malice)."""
    if data is None:
        return None
    crc = 0
    for array in data:
        crc = zlib.crc32(np.ascontiguousarray(array).data, crc)
    return f"{len(data[1])} images {crc:08x}"
