"""What an experiment is, before it is run: question, arms, budget, comparisons and the rule of verdict.

An experiment is plain data, one small module each, and written down before any run. Every *arm* is
trained once for each *seed*; the seed decides the first weights, the order of the images and dropout,
and the images are the same for all. So two arms are compared seed by seed (*paired*).
"""

from dataclasses import dataclass, field

__all__ = ["SEEDS", "SIZES", "Arm", "Comparison", "Experiment", "Size"]

SEEDS = (1, 2, 3, 4, 5)
"""The seeds that every experiment is run with, at least. Seed 0 was tried while optimizers and numbers of
epochs were chosen, so it has no say."""


@dataclass(frozen=True)
class Size:
    """How many images: to train, to validate (of the training files), and to test."""

    train: int
    validation: int
    test: int


SIZES = {
    "small": Size(10_000, 2_000, 10_000),
    "full": Size(55_000, 5_000, 10_000),
    "slice": Size(256, 100, 200),
}
"""``small`` for two cores and an evening, ``full`` for all of Fashion-MNIST, ``slice`` to notice drift."""


@dataclass(frozen=True)
class Arm:
    """One way to do it.

    Parameters
    ----------
    diagram : str
        The whole network, INPUT included.
    learning_rate : float
        It falls to 0 along a cosine.
    optimizer : {"sgd", "adam"}
        ``"sgd"`` has momentum 0.9.
    backend : {"torch", "numpy"}
    """

    diagram: str
    learning_rate: float
    optimizer: str = "sgd"
    backend: str = "torch"


@dataclass(frozen=True)
class Comparison:
    """One prediction of a claim: what is measured, for which arms, and what the claim expects.

    Parameters
    ----------
    claim : str
        Its id, such as ``"M9.5"``.
    says : str
        The prediction in words.
    metric : str
        A name in a record's ``result``, or ``"ratio"``.
    arms : tuple of str
        The arms that the claim speaks for.
    against : tuple of str
        Those it speaks against; empty where the metric is a comparison by itself.
    expects : {"more", "less", "no less", "no more", "within"}
        What the claim expects of the difference, `arms` minus `against`. ``"no less"`` allows a loss of
        `margin`; ``"within"`` expects it from `margin` to `upper`.
    choose : {"mean", "best", "worst"}
        How several arms become one number a seed: their mean; the arm with the best mean validation
        accuracy over the seeds (the test images have no say); or each seed's worst.
    margin, upper : float
    """

    claim: str
    says: str
    metric: str
    arms: tuple[str, ...]
    against: tuple[str, ...] = ()
    expects: str = "more"
    choose: str = "mean"
    margin: float = 0.0
    upper: float = 0.0


@dataclass(frozen=True)
class Experiment:
    """A question, and how it is to be answered.

    Parameters
    ----------
    name, title, question : str
    arms : dict of str to Arm
    comparisons : tuple of Comparison
    analysis : str
        In words, what is done with the numbers and why.
    epochs : dict of str to int
        For each size.
    target : float
        The validation accuracy for ``epochs_to_target``.
    batch_size : int
    measures : {"training", "time"}
    train : dict of str to int
        Fewer training images than the size has, where few are the point.
    """

    name: str
    title: str
    question: str
    arms: dict[str, Arm]
    comparisons: tuple[Comparison, ...]
    analysis: str
    epochs: dict[str, int] = field(default_factory=lambda: {"small": 4, "full": 5, "slice": 1})
    target: float = 0.8
    batch_size: int = 64
    measures: str = "training"
    train: dict[str, int] = field(default_factory=dict)

    @property
    def claims(self) -> tuple[str, ...]:
        """The ids of the claims it bears on."""
        return tuple(dict.fromkeys(c.claim for c in self.comparisons))
