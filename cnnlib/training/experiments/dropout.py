"""Dropout: how much, and where (M10.2, M10.3)."""

from cnnlib.training.experiments.plan import Arm, Comparison, Experiment


def diagram(conv: float, fc: float) -> str:
    """Dropout behind both POOL with probability `conv`, and between the FC layers with `fc`."""
    early, late = (f" => DO({p:g})" if p else "" for p in (conv, fc))
    return (
        f"INPUT(1, 28, 28) => CONV(16) => RELU => POOL{early} => CONV(32) => RELU => POOL{early} => "
        f"FC(128) => RELU{late} => FC(10)"
    )


PLACES = {
    "none": (0.0, 0.0),
    "fc_0.25": (0.0, 0.25),
    "fc_0.5": (0.0, 0.5),
    "fc_0.75": (0.0, 0.75),
    "conv_0.1": (0.1, 0.0),
    "conv_0.25": (0.25, 0.0),
    "conv_0.5": (0.5, 0.0),
    "both": (0.25, 0.5),
}

EXPERIMENT = Experiment(
    name="dropout",
    title="Dropout rates and places",
    question="Does dropout narrow the gap between training and test, at what price, and where does it help?",
    arms={name: Arm(diagram(*place), 0.001, "adam") for name, place in PLACES.items()},
    comparisons=(
        Comparison(
            "M10.2",
            "0.5 between the FC layers narrows the gap between training and test accuracy",
            "gap",
            ("fc_0.5",),
            ("none",),
            "less",
        ),
        Comparison(
            "M10.2",
            "it lowers the training accuracy",
            "train_accuracy",
            ("fc_0.5",),
            ("none",),
            "less",
        ),
        Comparison(
            "M10.3",
            "0.5 between the FC layers raises the test accuracy",
            "test_accuracy",
            ("fc_0.5",),
            ("none",),
        ),
        Comparison(
            "M10.3",
            "0.1 behind POOL loses nothing (half a point is allowed)",
            "test_accuracy",
            ("conv_0.1",),
            ("none",),
            "no less",
            margin=0.005,
        ),
        Comparison(
            "M10.3",
            "0.25 behind POOL loses nothing (half a point is allowed)",
            "test_accuracy",
            ("conv_0.25",),
            ("none",),
            "no less",
            margin=0.005,
        ),
        Comparison(
            "M10.3",
            "0.5 does more between FC layers than behind POOL",
            "test_accuracy",
            ("fc_0.5",),
            ("conv_0.5",),
        ),
    ),
    analysis="Few images (4,000 in the small size) and many epochs, so that there is something to overfit. Adam "
    "with its usual rate. The gap is training minus test accuracy, both in evaluation mode.",
    epochs={"small": 12, "full": 12, "slice": 1},
    train={"small": 4_000, "full": 20_000},
)
