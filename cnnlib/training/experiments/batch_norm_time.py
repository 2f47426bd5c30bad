"""What batch normalization costs in wall time (M9.6)."""

from cnnlib.training.experiments.batch_norm import diagram
from cnnlib.training.experiments.plan import Arm, Comparison, Experiment

EXPERIMENT = Experiment(
    name="batch_norm_time",
    title="The time of a step with and without batch normalization",
    question="How many times longer does a training step take with BN behind every CONV?",
    arms={
        f"{backend}_{depth}": Arm(diagram("after", depth), 0.01, backend=backend)
        for backend in ("torch", "numpy")
        for depth in (4, 8)
    },
    comparisons=tuple(
        Comparison(
            "M9.6",
            f"{backend}, {depth} CONV: a step takes 2 to 3 times as long",
            "ratio",
            (f"{backend}_{depth}",),
            expects="within",
            margin=2.0,
            upper=3.0,
        )
        for backend in ("torch", "numpy")
        for depth in (4, 8)
    ),
    analysis="A record is one process on one thread: steps of 64 images with BN and without it in turn, and the "
    "ratio of the medians of their thread time, so that a busy machine slows both. The seeds stand for five "
    "processes.",
    measures="time",
)
