"""Files that are kept: written whole or not at all, and made again where one is damaged."""

import logging
import os
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from cnnlib.errors import DataError

__all__ = ["cache_folder", "cached_arrays", "write_whole"]

log = logging.getLogger(__name__)


def cache_folder(name: str) -> Path:
    """Where programs keep what they can make or fetch again, on this kind of machine.

    Parameters
    ----------
    name : str
        A folder inside it, such as ``"cifar-10"``. It need not be there yet.
    """
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "cnnlib" / name


def write_whole(path: str | os.PathLike, write: Callable[[Path], object]) -> None:
    """Write a file under another name first, and put it in its place once it is complete.

    A program that is killed leaves the old file, or none, never half of one.

    Parameters
    ----------
    path : path
        Where the file goes; missing folders are made.
    write : callable
        Called with the path to write to, in the same folder and with the same ending.

    Raises
    ------
    DataError
        If the folder cannot be written to.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(
            prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent
        )
    except OSError as error:
        raise DataError(
            f"path={str(path)!r} cannot be written to ({error}): give a path in a folder that can be."
        ) from error
    os.close(handle)
    try:
        write(Path(part))
        with open(part, "rb") as file:
            os.fsync(file.fileno())  # else a power cut could leave the new name with no content
        os.chmod(part, 0o644)  # a temporary file is for its owner alone
        os.replace(part, path)
    finally:
        Path(part).unlink(missing_ok=True)


def cached_arrays(
    path: str | os.PathLike, make: Callable[[], Mapping[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """The arrays in an ``.npz`` file, which is made if it is missing and made anew if it is damaged.

    Parameters
    ----------
    path : path
        Where the file is or goes. If it cannot be written the arrays are made each time.
    make : callable
        Called without arguments; gives the arrays by name. It must give the same ones each time.

    Returns
    -------
    dict of str to array
        Any shapes and dtypes of plain numbers. The file's own checksums (CRC-32, one for each array)
        tell whether it is whole.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except FileNotFoundError:
        pass
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        log.warning("%s is damaged (%s) and is made anew.", path, error)
    made = dict(make())
    try:
        write_whole(path, lambda part: np.savez(part, allow_pickle=False, **made))
    except DataError as error:
        log.warning("Nothing is kept for the next time: %s", error)
    return made
