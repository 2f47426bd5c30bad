"""What a training shows while it runs: a bar, and in a notebook a plot that grows."""

from collections.abc import Callable, Sequence
from typing import Any

from cnnlib.errors import CnnlibError
from cnnlib.training.history import Row

__all__ = ["bar", "live_plot", "plot_history"]


class _Silent:
    """A bar that shows nothing."""

    def __enter__(self) -> "_Silent":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def update(self, n: int = 1) -> None:
        pass

    def set_postfix(self, values: dict[str, str]) -> None:
        pass


def bar(total: int, done: int = 0, shown: bool = True, unit: str = "step") -> Any:
    """A progress bar on stderr, or in a notebook a widget; a context manager with ``update()``."""
    if not shown:
        return _Silent()
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise CnnlibError(
            "progress=True needs the package tqdm, which is not installed: pip install "
            "'cnnlib[training]', or give progress=False."
        ) from error
    return tqdm(total=total, initial=done, unit=unit, dynamic_ncols=True)


def plot_history(history: Sequence[Row], figure: Any = None) -> Any:
    """Loss and accuracy over the epochs, training beside validation.

    Parameters
    ----------
    history : list of dict
        From :func:`cnnlib.training.fit`.
    figure : matplotlib Figure, optional
        To draw into, once it is cleared; without it a new one.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    figure = figure or Figure(figsize=(8, 3), layout="constrained")
    figure.clear()
    epochs = [row["epoch"] for row in history]
    for axes, what in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for part, style in (("train", "o-"), ("validation", "s--")):
            values = [row.get(f"{part}_{what}") for row in history]
            if any(value is not None for value in values):
                axes.plot(epochs, values, style, label=part, markersize=4)
        axes.set(xlabel="epoch", ylabel=what)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(frameon=False)
    return figure


def live_plot() -> Callable[[Sequence[Row]], None]:
    """A function that shows a history in the notebook, each time in place of the last plot."""
    try:
        from IPython.display import display
    except ImportError as error:
        raise CnnlibError(
            "plot=True draws in a notebook and needs IPython, which is not installed: give plot=False, "
            "or plot_history(history) after the training."
        ) from error
    shown: list[Any] = []

    def update(history: Sequence[Row]) -> None:
        figure = plot_history(history)
        if shown:
            shown[0].update(figure)
        else:
            shown.append(display(figure, display_id=True))

    return update
