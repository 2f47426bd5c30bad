"""CIFAR-10: small colour photographs of ten kinds of things.

===========  ====================================================================================
images       (N, 3, 32, 32) uint8: red, green and blue, from 0 to 255
labels       (N,) int64, from 0 to 9; their names are in :data:`CIFAR10_NAMES`
the set      50,000 images to train and 10,000 to test, as many of each class
===========  ====================================================================================

The *binary version* is read, six files of records with 1 byte for the label and 3,072 for the image; the
version "for Python" consists of pickles, which can run code when they are read. The files are looked
for in this order, and nothing is fetched unless asked:

1. the `folder` that is given; then no other place is tried,
2. the folder that the environment variable ``CNNLIB_DATA`` names, or ``cifar-10`` inside it,
3. the user's cache folder, where a download goes.

A folder holds either the archive ``cifar-10-binary.tar.gz`` or the six ``.bin`` files, which may lie in
``cifar-10-batches-bin`` as the archive has them.

References
----------
Krizhevsky (2009), *Learning multiple layers of features from tiny images*, chapter 3.
"""

import os
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cnnlib.data.fashion_mnist import FOLDER_VARIABLE
from cnnlib.data.files import cache_folder
from cnnlib.errors import DataError

__all__ = ["CIFAR10_NAMES", "Cifar10", "cifar10"]

CIFAR10_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
"""The name of each label."""

ARCHIVE = "cifar-10-binary.tar.gz"
INSIDE = "cifar-10-batches-bin"
FILES = (*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin")

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
# The publisher's page gives the MD5 sum c32a1d4ab5d03f1284b67883e8d87530. The SHA-256 is the one that
# several other loaders of this file check against. Neither could be computed from the 170 MB where this
# was written, for lack of a way to fetch them; a wrong sum would refuse the file, not let a wrong one in.
SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"

RECORD = 1 + 3 * 32 * 32
EACH = 10_000
"""Records in each of the six files."""


class Cifar10(NamedTuple):
    """Images (N, 3, 32, 32) uint8 and labels (N,) int64, to train and to test."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def cifar10(folder: str | os.PathLike | None = None, *, download: bool = False) -> Cifar10:
    """Read the whole of CIFAR-10.

    Parameters
    ----------
    folder : path, optional
        Holds the archive or the six files of the binary version. Without it the usual places are
        tried, see :mod:`cnnlib.data.cifar10`.
    download : bool
        If it is not found, fetch the archive (170 MB) into `folder`, or else the cache folder. A file
        there that is damaged or half-finished is fetched anew. Needs the package pooch.

    Returns
    -------
    Cifar10
        `train_images` (50000, 3, 32, 32) and `test_images` (10000, 3, 32, 32), uint8, with their
        labels, int64.

    Raises
    ------
    DataError
        If the files are nowhere, cannot be fetched, or are not what they should be.
    """
    places = _places(folder)
    found = next((place for place in places if _reader(place)), None)
    if download and found in (None, places[-1]) and not _holds_files(places[-1]):
        found = places[-1]
        _fetch(found)
    read = _reader(found) if found else None
    if read is None:
        raise DataError(_nowhere(folder, places))
    batches = [_records(read(name), f"{name} in {found}") for name in FILES]
    images, labels = (np.concatenate([batch[i] for batch in batches[:5]]) for i in range(2))
    return Cifar10(images, labels, *batches[5])


# --- where the files are --------------------------------------------------------------------------


def _places(folder: str | os.PathLike | None) -> list[Path]:
    """The folders to look in; a download goes to the last."""
    if folder is not None:
        return [Path(folder).expanduser()]
    places = []
    if named := os.environ.get(FOLDER_VARIABLE):
        places = [Path(named).expanduser(), Path(named).expanduser() / "cifar-10"]
    return [*places, cache_folder("cifar-10")]


def _holds_files(place: Path) -> bool:
    return any(all((where / name).is_file() for name in FILES) for where in (place, place / INSIDE))


def _reader(place: Path) -> Callable[[str], bytes] | None:
    """What reads one of the six files in `place`; none if it holds neither archive nor files."""
    for where in (place, place / INSIDE):
        if all((where / name).is_file() for name in FILES):
            return lambda name: (where / name).read_bytes()
    if (place / ARCHIVE).is_file():
        return _from_archive(place / ARCHIVE)
    return None


def _from_archive(path: Path) -> Callable[[str], bytes]:
    """Read all six files in one pass, as an archive has no table of what is where."""
    content: dict[str, bytes] = {}

    def read(name: str) -> bytes:
        if not content:
            try:
                with tarfile.open(path, "r:gz") as archive:
                    for member in archive:
                        inner = Path(member.name).name
                        if (
                            inner in FILES
                            and member.isfile()
                            and (file := archive.extractfile(member))
                        ):
                            content[inner] = file.read()
            except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
                raise DataError(f"{path} cannot be read ({error}). {_ANEW}") from error
        if name not in content:
            raise DataError(f"{path} does not hold {name}: it is not the binary version. {_ANEW}")
        return content[name]

    return read


_ANEW = "Call cifar10(…, download=True) to fetch it anew, or take it from another source."
_REMEDIES = (
    f"Fetch {URL} on a machine that has a network, and give folder=… or the environment variable "
    f"{FOLDER_VARIABLE} the folder that you put it in; shapes32() makes colour images of the same size, "
    "and fashion_mnist_subset() is always there."
)


def _nowhere(folder: str | os.PathLike | None, places: list[Path]) -> str:
    if folder is not None:
        what = f"folder={str(folder)!r} holds neither {ARCHIVE} nor {', '.join(FILES)}"
    else:
        what = f"CIFAR-10 is in none of {', '.join(map(str, places))}"
    return f"{what}: call cifar10(…, download=True) to fetch it. {_REMEDIES}"


# --- reading and fetching -------------------------------------------------------------------------


def _records(content: bytes, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels from a file: each record is the label, then 1,024 bytes a colour, row by row."""
    if len(content) != EACH * RECORD:
        raise DataError(
            f"{what} holds {len(content)} bytes, expected {EACH * RECORD}, which is {EACH} records of "
            f"{RECORD}: it is cut off, or another file. {_ANEW}"
        )
    table = np.frombuffer(content, np.uint8).reshape(EACH, RECORD)
    labels = table[:, 0].astype(np.int64)
    if labels.max(initial=0) > 9:
        wrong = int(np.flatnonzero(labels > 9)[0])
        raise DataError(
            f"{what} has label {labels[wrong]} in record {wrong}, expected 0 to 9: it is damaged, or "
            f"the file of CIFAR-100. {_ANEW}"
        )
    return table[:, 1:].reshape(EACH, 3, 32, 32).copy(), labels


def _fetch(place: Path) -> None:
    """Have the archive in `place`, fetched unless it is there and right; pooch stores it atomically."""
    try:
        import pooch
    except ImportError as error:
        raise DataError(
            "download=True needs the package pooch, which is not installed: pip install "
            f"'cnnlib[training]'. {_REMEDIES}"
        ) from error
    import logging

    pooch.get_logger().setLevel(logging.WARNING)
    try:
        pooch.retrieve(URL, f"sha256:{SHA256}", ARCHIVE, place, progressbar=_has_tqdm())
    except Exception as error:  # requests' own errors, OSError, and ValueError for a wrong checksum
        raise DataError(
            f"{ARCHIVE} could not be fetched into {place}, and nothing was stored ({error}). Check the "
            f"network and try again. {_REMEDIES}"
        ) from error


def _has_tqdm() -> bool:
    from importlib.util import find_spec

    return find_spec("tqdm") is not None
