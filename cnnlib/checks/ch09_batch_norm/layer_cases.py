"""The inputs of task (b): each is a short story of a layer, told as the lines that a learner would type."""

import numpy as np

from cnnlib.checks.calls import Case
from cnnlib.checks.ch09_batch_norm.common import TINY, channel_axes, scattered
from cnnlib.checks.inputs import Random, images

__all__ = [
    "gamma",
    "mean",
    "momentum",
    "new",
    "several",
    "testing",
    "together",
    "training",
    "unchanged",
    "var",
]

Arrays = dict[str, np.ndarray]


def _case(
    channels: int,
    look: str = "out",
    *,
    state: Arrays | None = None,
    train: np.ndarray | None = None,
    test: np.ndarray | None = None,
    right: np.ndarray | None = None,
    note: str = "",
    **settings: float,
) -> Case:
    """A layer that gets a `state`, is trained on each of a stack of batches, then tested, then looked at."""
    state = state or {}
    arguments = [str(channels), *(f"{name}={value}" for name, value in settings.items())]
    steps = [f"layer = BatchNorm({', '.join(arguments)})"]
    steps += [f"layer.{name} = {_told(values)}" for name, values in state.items()]
    given = [(x, True) for x in ([] if train is None else train)]
    given += [] if test is None else [(test, False)]
    steps += [f"layer.forward({_told(x)}, training={mode})" for x, mode in given]
    if look == "out":
        steps[-1] = "out = " + steps[-1]
    else:
        steps.append(f"layer.{look}")
    arrays = {"train": train, "test": test, **state}  # a batch first: its type sets the tolerance
    keyword = {name: array for name, array in arrays.items() if array is not None}
    others = {"look": look, "settings": tuple(settings.items())}
    return Case({"channels": channels}, keyword | others, right, note, "\n".join(steps))


def _told(values: np.ndarray) -> str:
    """A few short numbers as they are, of any others the shape."""
    if values.size <= 4 and (values == values.round(2)).all():
        return f"np.array({values.tolist()})"
    name = "x" if values.ndim > 1 else "values"
    return f"{name} {values.shape}" + (" float32" if values.dtype == np.float32 else "")


def _batches(rng: Random, count: int, *shape: int, dtype: str = "float64") -> np.ndarray:
    return np.stack([scattered(rng, shape, dtype) for _ in range(count)])


def _column(*values: float) -> np.ndarray:
    """One batch in training: N images, one channel."""
    return np.array(values, float).reshape(1, -1, 1)


def _mean(rng: Random, channels: int) -> Arrays:
    return {"running_mean": images(rng, (channels,)).round(2)}


def _var(rng: Random, channels: int) -> Arrays:
    return {"running_var": rng.uniform(0.5, 3.0, channels).round(2)}


_MEAN_2 = {"running_mean": np.array([2.0])}


def new(rng: Random) -> list[Case]:
    start = {"gamma": 1.0, "beta": 0.0, "running_mean": 0.0, "running_var": 1.0}
    return [_case(3, name, right=np.full(3, value)) for name, value in start.items()]


def training(rng: Random) -> list[Case]:
    by_hand = np.array([[-1.0], [1.0]])
    return [
        _case(1, train=_column(3, 7), right=by_hand, note="mean 5, variance 4", eps=TINY),
        _case(3, train=_batches(rng, 2, 4, 3)),
        _case(2, train=_batches(rng, 2, 3, 2, 2, 3)),
        _case(2, train=_batches(rng, 1, 3, 2, 2, 3, dtype="float32")),
    ]


def mean(rng: Random) -> list[Case]:
    """With momentum 0.5 it does not matter who gets it."""

    def drawn(*shape: int, dtype: str = "float64") -> Case:
        train, c = _batches(rng, 1, *shape, dtype=dtype), shape[1]
        return _case(c, "running_mean", state=_mean(rng, c), train=train, momentum=0.5)

    by_hand = _case(
        1,
        "running_mean",
        state=_MEAN_2,
        train=_column(5, 7),
        right=np.array([4.0]),
        note="halfway from 2 to 6",
        momentum=0.5,
    )
    return [by_hand, drawn(5, 3), drawn(3, 2, 2, 3, dtype="float32")]


def var(rng: Random) -> list[Case]:
    def drawn(*shape: int, dtype: str = "float64") -> Case:
        train, c = _batches(rng, 1, *shape, dtype=dtype), shape[1]
        return _case(c, "running_var", state=_var(rng, c), train=train, momentum=0.5)

    by_hand = _case(
        1,
        "running_var",
        state={"running_var": np.array([2.0])},
        train=_column(2, 4, 10, 4),
        right=np.array([7.0]),
        note="halfway from 2 to 12 = 36/3",
        momentum=0.5,
    )
    return [by_hand, drawn(4, 3), drawn(3, 2, 2, 3), drawn(2, 2, 3, 1, dtype="float32")]


def momentum(rng: Random) -> list[Case]:
    train, right, note = _column(5, 7), np.array([2.4]), "a tenth of the way from 2 to 6"
    state, batch = _mean(rng, 2), _batches(rng, 1, 4, 2)
    return [
        _case(1, "running_mean", state=_MEAN_2, train=train, right=right, note=note),
        _case(2, "running_mean", state=state, train=batch, momentum=0.25),
    ]


def several(rng: Random) -> list[Case]:
    train = np.concatenate([_column(5, 7), _column(1, 3)])
    right, note = np.array([3.0]), "2 → 4 → 3"
    state, batches = _mean(rng, 2), _batches(rng, 3, 2, 2, 3, 2)
    return [
        _case(1, "running_mean", state=_MEAN_2, train=train, right=right, note=note, momentum=0.5),
        _case(2, "running_mean", state=state, train=batches, momentum=0.5),
    ]


def testing(rng: Random) -> list[Case]:
    def drawn(*shape: int, dtype: str = "float64") -> Case:
        state = _mean(rng, shape[1]) | _var(rng, shape[1])
        return _case(shape[1], state=state, test=scattered(rng, shape, dtype))

    x, right, note = np.array([[7.0]]), np.array([[0.5]]), "(7 − 5)/√16"
    state = {"running_mean": np.array([5.0]), "running_var": np.array([16.0])}
    by_hand = _case(1, state=state, test=x, right=right, note=note, eps=TINY)
    return [by_hand, drawn(4, 3), drawn(1, 2, 3, 2, dtype="float32")]


def unchanged(rng: Random) -> list[Case]:
    state = _mean(rng, 3) | _var(rng, 3)
    looks = ("running_mean", "running_var")
    return [_case(3, look, state=state, test=scattered(rng, (4, 3))) for look in looks]


def gamma(rng: Random) -> list[Case]:
    """At test time, on a batch whose own statistics are the running ones: either will do."""

    def drawn(*shape: int, dtype: str = "float64") -> Case:
        x, c = scattered(rng, shape, dtype), shape[1]
        axes = channel_axes(x)
        learned = {"gamma": images(rng, (c,)).round(2), "beta": images(rng, (c,)).round(2)}
        own = {
            "running_mean": x.mean(axis=axes, dtype=np.float64),
            "running_var": x.var(axis=axes, dtype=np.float64),
        }
        return _case(c, state=learned | own, test=x, eps=0.5)

    return [drawn(5, 3), drawn(2, 3, 2, 4), drawn(4, 2, dtype="float32")]


def together(rng: Random) -> list[Case]:
    batches, x = _batches(rng, 3, 3, 2, 2, 3), scattered(rng, (1, 2, 2, 3))
    learned = {"gamma": images(rng, (2,)).round(2), "beta": images(rng, (2,)).round(2)}
    return [
        _case(2, state=learned, train=batches),
        _case(2, state=learned, train=batches, test=x),
        _case(2, "running_mean", train=batches, test=x),
        _case(2, "running_var", train=batches, test=x),
        _case(3, train=_batches(rng, 2, 4, 3), test=scattered(rng, (1, 3)), note="a batch of one"),
    ]
