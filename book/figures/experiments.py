"""The course's experiments: arms with their intervals, histories, and what became of each prediction.

Everything is read from the records in book/records.
"""

from functools import cache
from html import escape

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML

from cnnlib.training.experiments import EXPERIMENTS, load_records, table, verdict
from cnnlib.training.experiments.analysis import shown
from cnnlib.training.experiments.plots import plot_arms, plot_histories
from figures import FAINT, INK, show

__all__ = ["arms", "by_rate", "histories", "overview", "predictions"]

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
        1, len(metrics), figsize=(8.4, 0.7 + 0.36 * len(labels)), sharey=True, squeeze=False,
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
        figure,
        alt=f"{WORDS[metric]} by epoch: {', '.join(labels.values())}.",
        caption=_how(name, "lines"),
    )


def by_rate(name: str, panels: dict[str, dict[str, list[str]]]) -> HTML:
    """Test accuracy by learning rate: for each panel lines of arms, which differ in the rate."""
    experiment, records = EXPERIMENTS[name], _records(name)
    rows = {row["arm"]: row["test_accuracy"] for row in table(experiment, records)}
    figure, boxes = plt.subplots(
        1, len(panels), figsize=(8.6, 3.4), sharey=True, squeeze=False, layout="constrained"
    )
    said = []
    for axes, (title, lines) in zip(boxes[0], panels.items(), strict=True):
        for (label, group), marker, style in zip(
            lines.items(), "osD", ("solid", (0, (5, 2)), (0, (1, 1.6))), strict=False
        ):
            rates = [f"{experiment.arms[arm].learning_rate:g}" for arm in group]
            mean, low, high = (100 * np.array([rows[arm][i] for arm in group]) for i in range(3))
            axes.errorbar(
                rates, mean, (mean - low, high - mean), color=INK, marker=marker, linestyle=style,
                markersize=5, linewidth=1.6, capsize=3, label=label,
            )  # fmt: skip
            means = ", ".join(f"{m:.1f} at {r}" for m, r in zip(mean, rates, strict=True))
            said.append(f"{title}, {label}: {means}")
        axes.set(title=title, xlabel="learning rate", ylim=(0, 100))
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=9.5)
    boxes[0][0].set_ylabel(WORDS["test_accuracy"])
    boxes[0][0].legend(frameon=False, loc="lower left", fontsize=9.5)
    return show(figure, alt=f"{experiment.title}. {'; '.join(said)}.", caption=_how(name, "bars"))


def _how(name: str, drawn: str = "dots") -> str:
    runs = _records(name)
    settings = next(iter(next(iter(runs.values())).values()))["settings"]
    seeds = len(next(iter(runs.values())))
    size = (
        f"Fashion-MNIST, {settings['images']['train']:,} images to train, {settings['epochs']} epochs. "
        if settings["measures"] == "training"
        else ""
    )
    means = {
        "dots": f"Small dots are single runs, the large one is the mean of {seeds}, the line its 95 % interval (in figures on the right).",
        "bars": f"Means of {seeds} runs with their 95 % intervals.",
        "lines": f"A line for each of {seeds} runs.",
    }
    return (
        f"{size}{means[drawn]} "
        f"Made by <code>python -m cnnlib.training.experiments run {name}</code>."
    )


def overview() -> HTML:
    """All experiments: the question, how many runs and how long they took, and the verdicts."""
    rows = []
    for name, experiment in EXPERIMENTS.items():
        runs = [record for seeds in _records(name).values() for record in seeds.values()]
        minutes = sum(record["about"]["seconds"] for record in runs) / 60
        found = {claim: verdict(experiment, claim, _records(name)) for claim in experiment.claims}
        verdicts = "<br>".join(
            f"{claim if claim.startswith('M') else 'beside the claims'}: <strong>{row['verdict']}</strong>"
            for claim, row in found.items()
        )
        rows.append(
            f"<tr><td><code>{name}</code></td><td>{escape(experiment.question)}</td>"
            f"<td>{len(runs)} runs, {minutes:.0f} minutes</td><td>{verdicts}</td></tr>"
        )
    return _table(("Name", "Question", "Work", "Verdict"), rows, "Experiments")


def _table(titles: tuple[str, ...], rows: list[str], label: str) -> HTML:
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    return HTML(
        f'<div class="pst-scrollable-table-container" tabindex="0" role="group" aria-label="{label}">'
        f'<table class="table"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def predictions(name: str, claim: str) -> HTML:
    """What the claim predicts, the differences that were measured, and the verdict by the stated rule."""
    found = verdict(EXPERIMENTS[name], claim, _records(name))
    rows = [
        f"<tr><td>{escape(row['says'])}</td><td class='measured'>{escape(shown(row['metric'], row, sign=bool(row['against'])))}</td>"
        f"<td>{row['outcome']}</td></tr>"
        for row in found["comparisons"]
    ]
    whole = _table(
        ("Prediction", "Measured, with its 95\u00a0% interval", "Outcome"), rows, "Predictions"
    )
    return HTML(f"{whole.data}<p>By the course's rule: <strong>{found['verdict']}</strong>.</p>")
