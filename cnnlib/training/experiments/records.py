"""Records: one small JSON file for each run of one arm with one seed.

========== ========================================================================================
settings   everything that decides the result: experiment, arm, seed, size, data, diagram, optimizer, …
result     what the analysis reads: accuracies from 0 to 1, losses in nats, epochs to the target
history    the table of the training, a row for each epoch, without times
about      versions, hardware, git commit, seconds: what may differ between two equal runs
========== ========================================================================================
"""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

import cnnlib
from cnnlib.data.files import write_whole
from cnnlib.errors import DataError
from cnnlib.training.experiments.plan import SEEDS, Experiment

__all__ = ["Record", "about", "default_folder", "load_records", "read", "record_path", "write"]

Record = dict[str, Any]

ROOT = Path(__file__).resolve().parents[3]


def default_folder() -> Path:
    """``book/records`` in a checkout of the course, else ``records`` here."""
    return ROOT / "book" / "records" if (ROOT / "book").is_dir() else Path("records")


def record_path(folder: Path, size: str, experiment: str, arm: str, seed: int) -> Path:
    """Where the record of a run is or goes."""
    return folder / size / experiment / f"{arm}.seed{seed}.json"


def write(path: Path, record: Record) -> None:
    """Write a record, whole or not at all; twice the same record gives the same bytes."""
    text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_whole(path, lambda part: part.write_bytes(text.encode()))


def read(path: Path) -> Record | None:
    """Read a record, or nothing where there is none.

    Raises
    ------
    DataError
        If the file is damaged.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        missing = {"settings", "result", "history", "about"} - set(record)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise DataError(
            f"{path} is no record ({error}): it is damaged. Delete it and run the experiment again."
        ) from error
    if missing:
        raise DataError(
            f"{path} lacks {', '.join(sorted(missing))}: it is no record. Delete it and run the experiment again."
        )
    return record


def load_records(
    experiment: Experiment | str,
    *,
    size: str = "small",
    seeds: tuple[int, ...] = SEEDS,
    folder: str | os.PathLike | None = None,
) -> dict[str, dict[int, Record]]:
    """All records of an experiment: arm → seed → record.

    Raises
    ------
    DataError
        If one is missing: a verdict from a part of the runs would not be the one that was planned.
    """
    if isinstance(experiment, str):
        from cnnlib.training.experiments import EXPERIMENTS

        experiment = EXPERIMENTS[experiment]
    base = Path(folder) if folder is not None else default_folder()
    found: dict[str, dict[int, Record]] = {}
    for arm in experiment.arms:
        for seed in seeds:
            path = record_path(base, size, experiment.name, arm, seed)
            record = read(path)
            if record is None:
                raise DataError(
                    f"{path} is missing: all arms need all seeds. Run python -m cnnlib.training.experiments run "
                    f"{experiment.name} --size {size}, which makes only what is missing."
                )
            found.setdefault(arm, {})[seed] = record
    return found


def about(seconds: float) -> dict[str, Any]:
    """Where and with what a run was made."""
    import torch

    return {
        "seconds": round(seconds, 2),
        "versions": {
            "python": platform.python_version(),
            "cnnlib": cnnlib.__version__,
            "numpy": np.__version__,
            "torch": torch.__version__,
        },
        "hardware": {
            "system": platform.system(),
            "machine": platform.machine(),
            "processor": _processor(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
        },
        "commit": _commit(),
    }


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def _commit() -> str | None:
    """The commit that is checked out, with ``-dirty`` if cnnlib has changes; None outside a checkout."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", "cnnlib")
        return git("rev-parse", "HEAD") + ("-dirty" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None
