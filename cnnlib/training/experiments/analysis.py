"""From records to means with intervals, and from them by a fixed rule to verdicts.

The rule, which was written down before any run. Each :class:`Comparison` is a paired difference over the
seeds with its 95 % interval (Student's t), and is

- *supported* if the whole interval is where the claim expects the difference,
- *contradicted* if the whole interval is elsewhere,
- *undecided* otherwise.

A claim *holds* if all its comparisons are supported, and stays *open* if all are undecided. It *does not
hold here* if more are contradicted than supported. Otherwise it *holds with a caveat*, and the caveat names
the comparisons that are not supported. Intervals are not widened for being several.

References
----------
Student (1908), *The probable error of a mean*. Abramowitz and Stegun (1964), *Handbook of mathematical
functions*, equations 26.7.3 and 26.7.4 (the distribution for whole degrees of freedom).
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cnnlib.errors import RangeError
from cnnlib.training.experiments.plan import Comparison, Experiment
from cnnlib.training.experiments.records import Record

__all__ = ["Interval", "compare", "interval", "shown", "table", "verdict"]

Records = Mapping[str, Mapping[int, Record]]


class Interval(NamedTuple):
    """A mean and the ends of its 95 % interval."""

    mean: float
    low: float
    high: float


def interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """The mean of independent values with Student's interval; of differences, the paired t interval.

    Parameters
    ----------
    values : sequence of float
        At least two.
    confidence : float
        Between 0 and 1.

    Raises
    ------
    RangeError
        If there are fewer than two values, or `confidence` is out of range.

    Examples
    --------
    >>> [round(x, 3) for x in interval([1.0, 2.0, 3.0, 4.0, 5.0])]  # t = 2.776 with 4 degrees of freedom
    [3.0, 1.037, 4.963]
    """
    if len(values) < 2:
        raise RangeError(
            f"values has length {len(values)}: a spread needs at least two. Run more seeds."
        )
    if not 0 < confidence < 1:
        raise RangeError(f"confidence={confidence!r} must be between 0 and 1: 0.95 is usual.")
    mean = statistics.fmean(values)
    half = (
        _quantile(confidence, len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    )
    return Interval(mean, mean - half, mean + half)


def _within(t: float, df: int) -> float:
    """The probability that Student's t with `df` degrees of freedom is between −t and t."""
    angle = math.atan(t / math.sqrt(df))
    sine, cosine = math.sin(angle), math.cos(angle)
    term, total = (1.0, 0.0) if df % 2 == 0 else (cosine, 0.0)
    for k in range(df % 2, df - 1, 2):  # 1 + cos²/2 + 1·3 cos⁴/(2·4) + …, or its odd counterpart
        total += term
        term *= cosine**2 * (k + 1) / (k + 2)
    return sine * total if df % 2 == 0 else 2 / math.pi * (angle + sine * total)


def _quantile(confidence: float, df: int) -> float:
    low, high = 0.0, 1.0
    while _within(high, df) < confidence:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, df) < confidence else (low, middle)
    return (low + high) / 2


def compare(comparison: Comparison, records: Records) -> dict[str, Any]:
    """What the records say about one prediction.

    Returns
    -------
    dict
        ``says``; ``arms`` and ``against``, those that were compared (the best ones where that was asked);
        ``difference``, ``low`` and ``high``; ``seeds``; and ``outcome``: ``"supported"``,
        ``"contradicted"`` or ``"undecided"``.
    """
    seeds = sorted(next(iter(records.values())))
    arms, ours = _values(comparison.arms, comparison, records, seeds)
    against, theirs = _values(comparison.against, comparison, records, seeds)
    row: dict[str, Any] = {"says": comparison.says, "metric": comparison.metric}
    row |= {"arms": arms, "against": against, "seeds": len(seeds)}
    if None in ours or None in theirs:  # a lost training has no jitter
        return row | {"difference": None, "low": None, "high": None, "outcome": "undecided"}
    found = interval([a - b for a, b in zip(ours, theirs, strict=True)])
    return row | {
        "difference": found.mean,
        "low": found.low,
        "high": found.high,
        "outcome": _outcome(comparison, found),
    }


def _outcome(comparison: Comparison, found: Interval) -> str:
    expected = {
        "more": (0.0, math.inf),
        "less": (-math.inf, 0.0),
        "no less": (-comparison.margin, math.inf),
        "no more": (-math.inf, comparison.margin),
        "within": (comparison.margin, comparison.upper),
    }
    low, high = expected[comparison.expects]
    if low < found.low and found.high < high:
        return "supported"
    return "contradicted" if found.high <= low or high <= found.low else "undecided"


def _values(
    arms: tuple[str, ...], comparison: Comparison, records: Records, seeds: list[int]
) -> tuple[list[str], list[Any]]:
    """The arms that count, and one number a seed from them."""
    if not arms:
        return [], [0.0] * len(seeds)
    if comparison.choose == "best":
        arms = (max(arms, key=lambda arm: _mean(records[arm], "validation_accuracy")),)
    table = [[records[arm][seed]["result"][comparison.metric] for arm in arms] for seed in seeds]
    if comparison.choose == "worst":
        lower_is_worse = comparison.expects in ("more", "no less")
        return list(arms), [min(row) if lower_is_worse else max(row) for row in table]
    return list(arms), [None if None in row else statistics.fmean(row) for row in table]


def _mean(records: Mapping[int, Record], metric: str) -> float:
    return statistics.fmean(record["result"][metric] for record in records.values())


def verdict(experiment: Experiment, claim: str, records: Records) -> dict[str, Any]:
    """A claim's row for the ledger, ``book/claims.yml``, by the rule above.

    Parameters
    ----------
    experiment : Experiment
    claim : str
        One of its ``claims``.
    records : dict
        From :func:`cnnlib.training.experiments.load_records`.

    Returns
    -------
    dict
        ``id``, ``verdict``, ``caveat`` (only with *holds with a caveat*), ``numbers``, a sentence for each
        comparison with difference and interval, and ``comparisons``, the rows of :func:`compare`.

    Raises
    ------
    RangeError
        If the experiment has no such claim.
    """
    rows = [compare(c, records) for c in experiment.comparisons if c.claim == claim]
    if not rows:
        raise RangeError(
            f"claim={claim!r} is none of {experiment.name}: it bears on {', '.join(experiment.claims)}."
        )
    count = {kind: sum(row["outcome"] == kind for row in rows) for kind in OUTCOMES}
    numbers = [_sentence(row) for row in rows]
    found: dict[str, Any] = {"id": claim}
    if count["supported"] == len(rows):
        found["verdict"] = "holds"
    elif count["undecided"] == len(rows):
        found["verdict"] = "open"
    elif count["contradicted"] > count["supported"]:
        found["verdict"] = "does not hold here"
    else:
        found["verdict"] = "holds with a caveat"
        others = [
            f"{row['says']}: {row['outcome']}" for row in rows if row["outcome"] != "supported"
        ]
        found["caveat"] = (
            f"{count['supported']} of {len(rows)} predictions are supported; {'; '.join(others)}"
        )
    return found | {"numbers": numbers, "comparisons": rows}


OUTCOMES = ("supported", "contradicted", "undecided")


def _sentence(row: Mapping[str, Any]) -> str:
    return f"{row['says']}: {row['outcome']}, {shown(row['metric'], row, sign=bool(row['against']))}, {row['seeds']} seeds"


def shown(metric: str, found: Interval | Mapping[str, Any] | None, *, sign: bool = False) -> str:
    """A mean or a difference with its interval, as people read it: accuracies in per cent.

    Parameters
    ----------
    metric : str
        A number of the results.
    found : Interval, or a row of :func:`compare`
    sign : bool
        Write a plus too, as for a difference.

    Examples
    --------
    >>> shown("test_accuracy", Interval(0.8576, 0.8526, 0.8626))
    '85.76 % [85.26, 86.26]'
    """
    if isinstance(found, Mapping):
        found = (
            None
            if found["difference"] is None
            else Interval(found["difference"], found["low"], found["high"])
        )
    if found is None:
        return "not to be had, as trainings were lost"
    share = metric.endswith("accuracy") or metric == "gap"
    scale, unit = (100, " points" if sign or metric == "gap" else " %") if share else (1, "")
    form = f"{'+' if sign else ''}.{2 if share or abs(found.mean) >= 0.1 else 3}f"
    mean, low, high = (format(scale * number, form).replace("-", "−") for number in found)
    return f"{mean}{unit} [{low}, {high}]"


def table(experiment: Experiment, records: Records) -> list[dict[str, Any]]:
    """A row for each arm: every number of the results as an :class:`Interval` over the seeds.

    A number that a lost training lacks is None; ``lost`` counts such trainings.
    """
    rows = []
    for arm in experiment.arms:
        results = [record["result"] for record in records[arm].values()]
        row: dict[str, Any] = {"arm": arm, "seeds": len(results)}
        for name in results[0]:
            values = [result[name] for result in results]
            if name == "parameters":
                row[name] = values[0]
            elif name == "diverged":
                row["lost"] = sum(value is not None for value in values)
            else:
                row[name] = None if None in values else interval(values)
        rows.append(row)
    return rows
