"""The activation explorer: five functions, their slopes, and what they do to a batch."""

from functools import cache
from typing import Any

import numpy as np

from cnnlib.reference import activation
from cnnlib.widgets.base import Widget, _spec, fixed, settings
from cnnlib.widgets.bundle import esm
from cnnlib.widgets.chance import normal

__all__ = ["Activation"]

UNITS, EXAMPLES, SEED = 32, 128, 145
FAINT = 0.05


class Activation(Widget):
    """Explorer of the activations, at one point and on a batch of normal inputs.

    Parameters
    ----------
    function : str
        ``relu`` (unless given), ``leaky_relu``, ``elu``, ``sigmoid`` or ``tanh``: the names in
        :mod:`cnnlib.reference.activation`, which say where each function comes from.
    slope, alpha : float
        Setting of the leaky ReLU, 0 to 1, and of the ELU, 0 to 2. 0.1 and 1 unless given.
    x : float
        The point, −5 to 5. 1 unless given.
    mean : float
        Mean of the batch's inputs, −6 to 6. 0 unless given.
    between, within : float
        Standard deviations: of the units' own means, 0 to 2, and of one unit's inputs among the
        examples, 0.1 to 2. 0.5 and 1 unless given.

    Raises
    ------
    RangeError
        If a setting is outside its limits, or the function is none of the five.

    Examples
    --------
    >>> explorer = Activation(mean=-3)
    >>> explorer.before.shape, explorer.dead
    ((32, 128), 24)
    >>> explorer.function = "leaky_relu"
    >>> explorer.dead
    0
    """

    _module = "activation"
    _esm = esm("activation")

    function, slope, alpha, x, mean, between, within = settings("activation")

    def _apply(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Outputs and slopes, the slope being the gradient that a gradient of 1 becomes."""
        own = {"leaky_relu": {"negative_slope": self.slope}, "elu": {"alpha": self.alpha}}
        more: dict[str, Any] = own.get(self.function, {})
        out = getattr(activation, self.function)(values, **more)
        backward = getattr(activation, f"{self.function}_backward")
        return out, backward(np.ones_like(out), out, **more)

    @property
    def point(self) -> tuple[float, float]:
        """Output and slope at `x`."""
        out, slope = self._apply(np.array([self.x]))
        return out.item(), slope.item()

    @property
    def before(self) -> np.ndarray:
        """The batch's inputs: a row for each unit, a column for each example."""
        offsets, noise = _chance()
        return self.mean + self.between * offsets + self.within * noise

    @property
    def after(self) -> np.ndarray:
        """The outputs of :attr:`before`."""
        return self._apply(self.before)[0]

    @property
    def slopes(self) -> np.ndarray:
        """The function's slope at each of :attr:`before`."""
        return self._apply(self.before)[1]

    @property
    def dead(self) -> int:
        """Units whose slope is 0 for every example."""
        return int((self.slopes == 0).all(axis=1).sum())

    # --- sentences; activation.js writes the same ones, and a test compares them ---

    def summary(self) -> str:
        """What a batch loses on its way back: dead units, zeros, slopes near 0."""
        dead, zeros, slopes = self.dead, self.after == 0, self.slopes
        if dead:
            some = f"{dead} of {UNITS} units {'is' if dead == 1 else 'are'}"
            units = f"All {UNITS} units are" if dead == UNITS else some
            lost = f"{units} dead. The slope is 0 for all {EXAMPLES} examples."
        elif zeros.any():
            lost = f"No unit is dead. {_share(zeros)} of the outputs are 0, but every unit has an example that lets the gradient through."
        else:
            lost = f"No unit is dead. {_share(slopes < FAINT)} of the slopes are below {FAINT}."
        return f"{lost} On average {fixed(slopes.mean(), 3)} of the gradient comes back."

    def facts(self) -> list[tuple[str, str]]:
        """Label and text of each row of the result."""
        before, after, slopes = self.before, self.after, self.slopes
        out, slope = self.point
        words = dict(type(self).function.row["options"])[self.function]
        return [
            ("Function", f"{words}: y = {_spec('activation')['formulas'][self.function]}"),
            (
                "At the point",
                f"x = {fixed(self.x, 1)}, y = {fixed(out, 3)}, slope {fixed(slope, 3)}",
            ),
            ("Mean, before and after", f"{fixed(before.mean())} → {fixed(after.mean())}"),
            ("Outputs that are 0", _share(after == 0)),
            (f"Slopes below {FAINT}", _share(slopes < FAINT)),
            ("Gradient that comes back, on average", fixed(slopes.mean(), 3)),
            ("Dead units", f"{self.dead} of {UNITS}"),
        ]


def _share(true: np.ndarray) -> str:
    return f"{fixed(100 * float(true.mean()), 1)} %"


@cache
def _chance() -> tuple[np.ndarray, np.ndarray]:
    """Standard normal numbers: one for each unit, in rising order, and one for each input."""
    numbers = normal(SEED)
    offsets = sorted(next(numbers) for _ in range(UNITS))
    noise = [[next(numbers) for _ in range(EXAMPLES)] for _ in range(UNITS)]
    return np.array(offsets)[:, None], np.array(noise)
