"""A training's state in one file: arrays, and a text in JSON with the rest. No pickle, so no code."""

import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cnnlib.data.files import write_whole
from cnnlib.errors import DataError

__all__ = ["differences", "load", "save"]

FORMAT = 1
TEXT = "json"


def save(path: str | os.PathLike, arrays: Mapping[str, np.ndarray], meta: dict[str, Any]) -> None:
    """Write a checkpoint, whole or not at all: who is killed while it is written keeps the last one.

    Parameters
    ----------
    path : path
        Ends in ``.npz``.
    arrays : mapping of str to array
        Plain numbers, by name.
    meta : dict
        Anything JSON can hold; floats keep all their digits.

    Raises
    ------
    DataError
        If the path has another ending or cannot be written.
    """
    if Path(path).suffix != ".npz":
        raise DataError(
            f"checkpoint={str(path)!r} has the ending {Path(path).suffix!r}: checkpoints are .npz files. "
            f"Give {str(Path(path).with_suffix('.npz'))!r}."
        )
    text = np.frombuffer(json.dumps(meta | {"format": FORMAT}).encode(), np.uint8)
    write_whole(path, lambda part: np.savez(part, allow_pickle=False, **{TEXT: text, **arrays}))


def load(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
    """Read a checkpoint: arrays and meta, or nothing if there is no such file.

    Raises
    ------
    DataError
        If the file is damaged, or no checkpoint.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files}
        meta = json.loads(arrays.pop(TEXT).tobytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"checkpoint={str(path)!r} cannot be read ({error}): it is damaged, or no checkpoint. "
            "Delete it to begin anew, or give another path."
        ) from error
    if meta.get("format") != FORMAT:
        raise DataError(
            f"checkpoint={str(path)!r} has format {meta.get('format')}, expected {FORMAT}: another "
            "version of cnnlib wrote it. Go on with that version, or delete the file to begin anew."
        )
    return arrays, meta


def differences(saved: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """In words, the settings in which a checkpoint differs from a call; both as JSON would have them."""
    given = json.loads(json.dumps(given))
    return [
        f"{name} was {_short(saved.get(name))} and is {_short(given.get(name))}"
        for name in sorted({*saved, *given})
        if saved.get(name) != given.get(name)
    ]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:117]}…"
