"""Task (g): which units of a layer are dead."""

from typing import Any

import numpy as np

from cnnlib.checks.calls import Case, Outcome
from cnnlib.checks.ch05_activation.common import DEAD, SHAPE, positive
from cnnlib.checks.engine import Misconception, Part, Task
from cnnlib.checks.inputs import Random, lost, whole
from cnnlib.checks.judges import judge_array, judge_shape


def _units(mask: np.ndarray) -> str:
    """The numbers of the units that a mask marks, in words."""
    numbers = [str(i) for i in np.flatnonzero(mask)]
    if not numbers:
        return "none"
    plural = "units" if len(numbers) > 1 else "unit"
    return f"{plural} {', '.join(numbers)}"


def judge_mask(case: Case, right: Any, got: Outcome) -> str:
    """One True or False a unit; 1 and 0 will do."""
    if problem := judge_shape(case, right, got):
        return f"{problem}: one True or False for each unit"
    if not judge_array(case, right, got):
        return ""
    if not np.isin(got.value, (0, 1)).all():
        return f"expected True or False for each unit, got {got.value.ravel()[:4].tolist()} …"
    return f"expected as dead: {_units(right)}; got: {_units(got.value)}"


def _layer(activations: np.ndarray, right: list[bool] | None = None, note: str = "") -> Case:
    expected = None if right is None else np.array(right)
    return Case({"activations": activations}, expected=expected, note=note)


def _some_dead(rng: Random, units: int) -> np.ndarray:
    """A mask with at least one unit of either kind, in no order; the first and the last unit differ."""
    mask = rng.permutation(np.arange(units) % 2 == 0)
    mask[-1] = not mask[0]
    return mask


def _always_cases(rng: Random) -> list[Case]:
    """Units are zero for all examples or for none."""

    def drawn(examples: int, units: int, dtype: str = "float64") -> Case:
        return _layer(positive(rng, (examples, units), dtype) * ~_some_dead(rng, units))

    by_hand = np.array([[0.5, 0.0, 2.0], [1.0, 0.0, 0.1]])
    return [
        _layer(by_hand, [False, True, False], "by hand"),
        drawn(6, 4, "float32"),
        drawn(5, 5),
        drawn(1, 3),
    ]


def _sometimes_cases(rng: Random) -> list[Case]:
    """Living units fire for one example only, or for all but one; the first is always silent."""

    def drawn(examples: int, units: int, dtype: str = "float64") -> Case:
        activations = np.zeros((examples, units), dtype)
        for unit in np.flatnonzero(~_some_dead(rng, units)):
            activations[whole(rng, 1, examples - 1), unit] = rng.uniform(0.5, 2.0)
        return _layer(activations)

    by_hand = np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 3.0], [0.0, 0.0]])
    often = positive(rng, (6, 5)) * ~_some_dead(rng, 5)
    often[0] = 0
    return [
        _layer(by_hand, [True, False], "by hand"),
        drawn(7, 4),
        _layer(often),
        drawn(5, 5, "float32"),
    ]


def _small_cases(rng: Random) -> list[Case]:
    """What is alive is below a billionth."""

    def drawn(examples: int, units: int, dtype: str) -> Case:
        alive = positive(rng, (examples, units), dtype) * ~_some_dead(rng, units)
        return _layer(alive * alive.dtype.type(1e-12))

    return [drawn(4, 5, "float64"), drawn(3, 4, "float32")]


def _map_cases(rng: Random) -> list[Case]:
    """Maps of a CONV layer. A living filter fires at one place of the last image, never in the corner."""

    def drawn(shape: tuple[int, int, int, int], dtype: str = "float64") -> Case:
        images, filters, height, width = shape
        activations = np.zeros(shape, dtype)
        alive = np.flatnonzero(~_some_dead(rng, filters))
        for f in alive:
            place = (
                images - 1,
                f,
                whole(rng, 0, height - 1),
                whole(rng, 1, width - 1),
            )
            activations[place] = rng.uniform(0.5, 2.0)
        return _layer(activations, note="maps of filters")

    return [drawn((3, 4, 2, 5)), drawn((1, 5, 3, 3)), drawn((4, 4, 3, 2), "float32")]


def _other_axes(activations: np.ndarray) -> tuple[int, ...]:
    return tuple(axis for axis in range(activations.ndim) if axis != 1)


def dead_units(activations: np.ndarray) -> np.ndarray:
    """The reference of task (g)."""
    return (activations == 0).all(axis=_other_axes(activations))


def _once_zero(activations):
    return (activations == 0).any(axis=_other_axes(activations))


def _first_example(activations):
    return dead_units(activations[:1])


def _mostly_zero(activations):
    return (activations == 0).mean(axis=_other_axes(activations)) > 0.5


def _examples(activations):
    return (activations == 0).all(axis=tuple(range(1, activations.ndim)))


def _nearly_zero(activations):
    return np.isclose(activations, 0).all(axis=_other_axes(activations))


def _each_pixel(activations):
    return (activations == 0).all(axis=0)


def _corner_of_map(activations):
    return dead_units(activations[:, :, 0, 0] if activations.ndim == 4 else activations)


_G = {
    "always": "zero for every example, or for none",
    "sometimes": "a unit that fires for one example lives",
    "small": "a small activation is not zero",
    "maps": "one answer a filter for maps",
}

DEAD_UNITS = Task(
    "g",
    "dead units",
    "dead_units",
    dead_units,
    parts=(
        Part(_G["always"], 2, _always_cases, judge_mask, hint=1),
        Part(_G["sometimes"], 2, _sometimes_cases, judge_mask, hint=2),
        Part(_G["small"], 1, _small_cases, judge_mask),
        Part(_G["maps"], 2, _map_cases, judge_mask, hint=3),
    ),
    misconceptions=(
        Misconception(
            "dead because it was silent once",
            _once_zero,
            "Being silent for some examples is how ReLU works. A unit is dead only if it is zero for all of them.",
            DEAD,
            lost(_G, "sometimes", "maps"),
        ),
        Misconception(
            "judged by one example",
            _first_example,
            "One example cannot tell: a unit that is silent for the first may fire for another. Look at the whole "
            "data set.",
            DEAD,
            lost(_G, "sometimes", "maps"),
        ),
        Misconception(
            "dead because it is mostly silent",
            _mostly_zero,
            "One example that gets through is enough to send a gradient back. A rare unit is not a dead one.",
            DEAD,
            lost(_G, "sometimes", "maps"),
        ),
        Misconception(
            "an answer for each example",
            _examples,
            "Axis 0 counts the examples, axis 1 the units. The question is about a unit, so it runs over axis 0.",
            DEAD,
            frozenset(_G.values()),
        ),
        Misconception(
            "living units are marked",
            lambda activations: ~dead_units(activations),
            "True stands for dead: no example has an activation other than zero there.",
            DEAD,
            frozenset(_G.values()),
        ),
        Misconception(
            "how many in place of which",
            lambda activations: int(dead_units(activations).sum()),
            "The sum of the mask says how many are dead. Return the mask itself, which says which.",
            DEAD,
            frozenset(_G.values()),
        ),
        Misconception(
            "nearly zero counts as zero",
            _nearly_zero,
            "ReLU gives exactly 0 where it is silent, so compare with 0. However small a positive output is, its "
            "slope is 1 and the gradient passes in full.",
            DEAD,
            lost(_G, "small"),
        ),
        Misconception(
            "every pixel is a unit of its own",
            _each_pixel,
            "A filter uses the same weights at every place of its map. If it fires anywhere in any image these "
            "weights get a gradient, so there is one answer a filter.",
            SHAPE,
            lost(_G, "maps"),
        ),
        Misconception(
            "one place stands for the map",
            _corner_of_map,
            "A filter slides over the whole image and may fire anywhere. Look at every row and column of its map.",
            DEAD,
            lost(_G, "maps"),
        ),
    ),
)
