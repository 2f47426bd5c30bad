"""The course's experiments: arms with their intervals, histories, and what became of each prediction.

Everything is read from the records in book/records.
"""

from functools import cache
from html import escape

import matplotlib.pyplot as plt
from IPython.display import HTML

from cnnlib.training.experiments import EXPERIMENTS, load_records, table, verdict
from cnnlib.training.experiments.analysis import shown
from cnnlib.training.experiments.plots import plot_arms, plot_histories
from figures import FAINT, INK, show

__all__ = ["arms", "histories", "predictions"]

WORDS = {
    "test_accuracy": "test accuracy, %",
    "train_accuracy": "training accuracy, %",
    "validation_accuracy": "validation accuracy, %",
    "gap": "training minus test accuracy, points",
    "test_loss": "test loss",
    "train_loss": "training loss",
    "epochs_to_target": "epochs to 80 % validation accuracy",
    "jitter": "mean change of the loss from step to step",
    "ratio": "time of a step with BN, divided by without",
}
_records = cache(load_records)


def arms(name: str, labels: dict[str, str], *metrics: str) -> HTML:
    """The arms named in `labels`, a panel for each metric (test accuracy if none is given)."""
    experiment, records = EXPERIMENTS[name], _records(name)
    metrics = metrics or ("test_accuracy",)
    figure, panels = plt.subplots(
        1, len(metrics), figsize=(9.2, 0.7 + 0.38 * len(labels)), sharey=True, squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for axes, metric in zip(panels[0], metrics, strict=True):
        plot_arms(experiment, records, metric, labels=labels, ink=INK, faint=FAINT, axes=axes)
        axes.set_xlabel(WORDS[metric])
        axes.tick_params(labelsize=9.5)
    rows = {row["arm"]: row for row in table(experiment, records)}
    alt = "; ".join(
        f"{label}: "
        + ", ".join(f"{WORDS[m].split(',')[0]} {shown(m, rows[arm][m])}" for m in metrics)
        for arm, label in labels.items()
    )
    return show(figure, alt=f"{experiment.title}. {alt}.", caption=_how(name))


def histories(name: str, colours: dict[str, str], labels: dict[str, str], metric: str) -> HTML:
    """A number over the epochs, a line for each seed."""
    figure, axes = plt.subplots(figsize=(7.4, 3.4), layout="constrained")
    plot_histories(_records(name), colours, metric, labels=labels, axes=axes)
    axes.set_ylabel(WORDS[metric])
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9.5)
    return show(
        figure, alt=f"{WORDS[metric]} by epoch: {', '.join(labels.values())}.", caption=_how(name)
    )


def _how(name: str) -> str:
    runs = _records(name)
    settings = next(iter(next(iter(runs.values())).values()))["settings"]
    seeds = len(next(iter(runs.values())))
    size = (
        f"Fashion-MNIST, {settings['images']['train']:,} images to train, {settings['epochs']} epochs. "
        if settings["measures"] == "training"
        else ""
    )
    return (
        f"{size}Small dots are single runs, the large one is the mean of {seeds}, the line its 95 % interval. "
        f"Made by <code>python -m cnnlib.training.experiments run {name}</code>."
    )


def predictions(name: str, claim: str) -> HTML:
    """What the claim predicts, the differences that were measured, and the verdict by the stated rule."""
    found = verdict(EXPERIMENTS[name], claim, _records(name))
    rows = "".join(
        f"<tr><td>{escape(row['says'])}</td><td>{escape(shown(row['metric'], row, sign=bool(row['against'])))}</td>"
        f"<td>{row['outcome']}</td></tr>"
        for row in found["comparisons"]
    )
    return HTML(
        '<div class="pst-scrollable-table-container" tabindex="0" role="group" aria-label="Predictions">'
        '<table class="table"><thead><tr><th scope="col">Prediction</th>'
        '<th scope="col">Measured, with its 95 % interval</th><th scope="col">Outcome</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
        f"<p>{claim}: <strong>{found['verdict']}</strong>.</p>"
    )
