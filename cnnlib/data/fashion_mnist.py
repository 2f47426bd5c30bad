"""Fashion-MNIST: pictures of clothes in ten classes, all of it or a small part that is always there.

================  =================================================================================
images            (N, 28, 28) uint8, 0 is the background and 255 the brightest
labels            (N,) int64, from 0 to 9; their names are in :data:`CLASS_NAMES`
the whole set     60,000 images to train and 10,000 to test, as many of each class
the bundled part  1,000 to train and 500 to test, as many of each class
================  =================================================================================

A network wants floats with an axis for the channel::

    data = fashion_mnist_subset()
    x = data.train_images[:, None].astype(np.float32) / 255     # (1000, 1, 28, 28), from 0 to 1

The whole set is four files. They are looked for in this order, and nothing is fetched unless asked:

1. the `folder` that is given; then no other place is tried,
2. the folder that the environment variable ``CNNLIB_DATA`` names, or ``fashion-mnist`` inside it,
3. ``/usr/share/datasets/fashion-mnist``, where Debian's package ``dataset-fashion-mnist`` puts them,
4. the user's cache folder, where a download goes.

The data are Zalando's, under the MIT license, which lies beside the bundled part.

References
----------
Xiao, Rasul and Vollgraf (2017), *Fashion-MNIST: a novel image dataset for benchmarking machine
learning algorithms*.
"""

import gzip
import hashlib
import math
import os
import tempfile
import urllib.request
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cnnlib.data.files import cache_folder
from cnnlib.errors import DataError

__all__ = [
    "CLASS_NAMES",
    "FOLDER_VARIABLE",
    "FashionMnist",
    "fashion_mnist",
    "fashion_mnist_subset",
]

CLASS_NAMES = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
"""The name of each label."""

FOLDER_VARIABLE = "CNNLIB_DATA"
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
SUBSET = Path(__file__).with_name("fashion_mnist_subset.npz")

MIRRORS = (
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
)
"""Where the files are fetched from, the second if the first does not answer."""

# SHA-256 of the files as published. Their MD5 sums are those of the publisher's table.
CHECKSUMS = {
    "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}
FILES = tuple(CHECKSUMS)

IMAGES, LABELS = 2051, 2049
"""The first number of an idx file: unsigned bytes, with three axes or with one."""

SECONDS = 20.0
"""How long a mirror may stay silent."""


class FashionMnist(NamedTuple):
    """Images (N, 28, 28) uint8 and labels (N,) int64, to train and to test."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def fashion_mnist(
    folder: str | os.PathLike | None = None, *, download: bool = False
) -> FashionMnist:
    """Read the whole of Fashion-MNIST.

    Parameters
    ----------
    folder : path, optional
        Holds the four idx files, with or without ``.gz``. Without it the usual places are tried, see
        :mod:`cnnlib.data.fashion_mnist`.
    download : bool
        If they are not found, fetch them (31 MB) into `folder`, or else the cache folder. Each file is
        checked before it is put there, and a damaged one that is there is replaced.

    Returns
    -------
    FashionMnist
        `train_images` (60000, 28, 28) and `test_images` (10000, 28, 28), uint8, with their labels, int64.

    Raises
    ------
    DataError
        If the files are nowhere, no mirror answers, or a file is not what it should be.
    """
    places = _places(folder)
    found = next((place for place in places if _holds_all(place)), None)
    if found is None and download:
        found = places[-1]
        for name in FILES:
            if _file(found, name) is None:
                _fetch(name, found)
    if found is None:
        raise DataError(_nowhere(folder, places))
    train_images, train_labels, test_images, test_labels = (
        _mended(found, name, mend=download and found == places[-1]) for name in FILES
    )
    for images, labels, path in (
        (train_images, train_labels, _file(found, FILES[1])),
        (test_images, test_labels, _file(found, FILES[3])),
    ):
        if len(images) != len(labels):
            raise DataError(
                f"{path} has {len(labels)} labels for {len(images)} images: there must be one for each. "
                "Are the files from two different sets? Replace all four."
            )
    return FashionMnist(
        train_images, train_labels.astype(np.int64), test_images, test_labels.astype(np.int64)
    )


def fashion_mnist_subset() -> FashionMnist:
    """The part of Fashion-MNIST that comes with this package, for work without a network.

    The first 100 images of each class of the training files and the first 50 of the test files, in the
    order of the files; ``tools/fashion_mnist_subset.py`` makes it.

    Returns
    -------
    FashionMnist
        `train_images` (1000, 28, 28) and `test_images` (500, 28, 28), uint8, with their labels, int64.

    Examples
    --------
    >>> data = fashion_mnist_subset()
    >>> data.train_images.shape, data.test_images.shape
    ((1000, 28, 28), (500, 28, 28))
    >>> [CLASS_NAMES[label] for label in data.train_labels[:3]]
    ['ankle boot', 'T-shirt/top', 'T-shirt/top']
    """
    with np.load(SUBSET, allow_pickle=False) as arrays:
        return FashionMnist(
            arrays["train_images"],
            arrays["train_labels"].astype(np.int64),
            arrays["test_images"],
            arrays["test_labels"].astype(np.int64),
        )


# --- where the files are --------------------------------------------------------------------------


def _places(folder: str | os.PathLike | None) -> list[Path]:
    """The folders to look in; a download goes to the last."""
    if folder is not None:
        return [Path(folder).expanduser()]
    places = []
    if named := os.environ.get(FOLDER_VARIABLE):
        places = [Path(named).expanduser(), Path(named).expanduser() / "fashion-mnist"]
    return [*places, DEBIAN_FOLDER, _cache_folder()]


def _cache_folder() -> Path:
    return cache_folder("fashion-mnist")


def _file(place: Path, name: str) -> Path | None:
    """The file of that name, compressed or not."""
    return next(filter(Path.is_file, (place / name, place / name.removesuffix(".gz"))), None)


def _holds_all(place: Path) -> bool:
    return all(_file(place, name) for name in FILES)


_REMEDIES = (
    "Install Debian's package dataset-fashion-mnist, or give folder=… or the environment variable "
    f"{FOLDER_VARIABLE} a folder that holds {', '.join(FILES)}; fashion_mnist_subset() needs none of them."
)


def _nowhere(folder: str | os.PathLike | None, places: list[Path]) -> str:
    if folder is not None:
        missing = [name for name in FILES if _file(places[0], name) is None]
        what = f"folder={str(folder)!r} lacks {', '.join(missing)}"
    else:
        what = f"Fashion-MNIST is in none of {', '.join(map(str, places))}"
    return f"{what}: call fashion_mnist(…, download=True) to fetch it. {_REMEDIES}"


# --- reading --------------------------------------------------------------------------------------


def _mended(place: Path, name: str, *, mend: bool) -> np.ndarray:
    """The array of that file, which is fetched anew if it is damaged and `mend` allows it."""
    magic = IMAGES if "images" in name else LABELS
    try:
        return _read(_file(place, name) or place / name, magic)
    except DataError:
        if not mend:
            raise
    _fetch(name, place)
    return _read(place / name, magic)


def _read(path: Path, magic: int) -> np.ndarray:
    """The array in an idx file: a magic number, the length of each axis, then the bytes."""
    remedy = "Delete it and call fashion_mnist(…, download=True), or take it from another source."
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error}). {remedy}") from error
    first = int.from_bytes(content[:4], "big")
    axes = 3 if magic == IMAGES else 1
    if len(content) < 4 + 4 * axes or first != magic:
        raise DataError(
            f"{path} begins with {first}, expected {magic}: it is no idx file of "
            f"{'images' if magic == IMAGES else 'labels'}. {remedy}"
        )
    shape = tuple(int.from_bytes(content[4 + 4 * i : 8 + 4 * i], "big") for i in range(axes))
    body = content[4 + 4 * axes :]
    if len(body) != math.prod(shape):
        raise DataError(
            f"{path} holds {len(body)} bytes behind its head, expected {math.prod(shape)} for shape "
            f"{shape}: it is cut off or damaged. {remedy}"
        )
    return np.frombuffer(body, np.uint8).reshape(shape).copy()


# --- fetching -------------------------------------------------------------------------------------


def _fetch(name: str, place: Path) -> None:
    """Fetch one file: under another name first, and to its place once it is known to be right."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=f".{name}.", dir=place)
        os.close(handle)
    except OSError as error:
        raise DataError(
            f"{place} cannot be written to ({error}): give folder=… another folder."
        ) from error
    refused = []
    try:
        for mirror in MIRRORS:
            try:
                digest = _copy(mirror + name, Path(part), name)
            except (OSError, ValueError) as error:  # no network, no such page, no answer
                refused.append(f"{mirror}: {error}")
                continue
            if digest == CHECKSUMS[name]:
                os.chmod(part, 0o644)  # a temporary file is for its owner alone
                os.replace(part, place / name)
                return
            refused.append(f"{mirror}: SHA-256 {digest}, expected {CHECKSUMS[name]}")
        raise DataError(
            f"{name} could not be fetched, and nothing was stored ({'; '.join(refused)}). Check the "
            f"network and try again. {_REMEDIES}"
        )
    finally:
        Path(part).unlink(missing_ok=True)


def _copy(url: str, target: Path, name: str) -> str:
    """Copy what the address answers into `target`; return its SHA-256. Shows how far it is."""
    digest, done, shown = hashlib.sha256(), 0, -1
    with urllib.request.urlopen(url, timeout=SECONDS) as answer, open(target, "wb") as file:
        size = int(answer.headers.get("Content-Length") or 0)
        while block := answer.read(1 << 16):
            file.write(block)
            digest.update(block)
            done += len(block)
            percent = 100 * done // size if size else 0
            if percent // 5 != shown // 5 or shown < 0:
                shown = percent
                far = f"{percent:3d} % of {size / 1e6:.1f} MB" if size else f"{done / 1e6:.1f} MB"
                print(f"\r{name}: {far}", end="", flush=True)
        print(f"\r{name}: {done / 1e6:.1f} MB fetched" + " " * 12)
    if size and done != size:
        raise ValueError(f"the answer ended after {done} of {size} bytes")
    return digest.hexdigest()
