"""One real photograph to try filters on; who took it and its licence stand in ``camera_LICENSE.txt``."""

from importlib import resources

import numpy as np

__all__ = ["photograph"]


def photograph() -> np.ndarray:
    """A man with a camera on a tripod, in grey: each call gives a new array.

    Returns
    -------
    array, shape (128, 128), float64
        Brightness from 0 (black) to 1 (white), row 0 at the top.

    Examples
    --------
    >>> photograph().shape
    (128, 128)
    """
    with resources.files("cnnlib.data").joinpath("camera.npy").open("rb") as file:
        levels = np.load(file, allow_pickle=False)
    return levels / 255.0
