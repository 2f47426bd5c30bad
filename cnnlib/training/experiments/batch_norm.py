"""Batch normalization: none, before or after the activation, at three rates and two depths (M9.5, M9.7)."""

from cnnlib.training.experiments.plan import Arm, Comparison, Experiment

RATES = (0.01, 0.1, 0.5)
DEPTHS = {
    4: (2, 1),
    8: (3, 4),
}  # CONV layers of the second and the third stage, behind one in the first
PLACES = {"none": "RELU", "before": "BN => RELU", "after": "RELU => BN"}


def diagram(place: str, depth: int) -> str:
    """The network with BN in that place behind every CONV."""
    act, (second, third) = PLACES[place], DEPTHS[depth]
    return (
        f"INPUT(1, 28, 28) => CONV(16) => {act} => POOL => [CONV(24) => {act}] * {second} => POOL => "
        f"[CONV(32) => {act}] * {third} => GAP => FC(10)"
    )


def name(place: str, depth: int, rate: float) -> str:
    return f"{place}_{depth}_{rate:g}"


def all_rates(place: str, depth: int) -> tuple[str, ...]:
    return tuple(name(place, depth, rate) for rate in RATES)


ARMS = {
    name(place, depth, rate): Arm(diagram(place, depth), rate)
    for depth in DEPTHS
    for place in PLACES
    for rate in RATES
}


def _m95(depth: int, place: str) -> tuple[Comparison, ...]:
    arms, against, where = (
        all_rates(place, depth),
        all_rates("none", depth),
        f"BN {place}, {depth} CONV",
    )
    return (
        Comparison(
            "M9.5",
            f"{where}: fewer epochs to 80 %, each at its best rate",
            "epochs_to_target",
            arms,
            against,
            "less",
            "best",
        ),
        Comparison(
            "M9.5",
            f"{where}: a higher worst accuracy over the rates 0.01 to 0.5",
            "test_accuracy",
            arms,
            against,
            "more",
            "worst",
        ),
        Comparison(
            "M9.5",
            f"{where}: a lower training loss in the end, each at its best rate",
            "train_loss",
            arms,
            against,
            "less",
            "best",
        ),
        Comparison(
            "M9.5",
            f"{where}: a steadier loss from step to step, each at its best rate",
            "jitter",
            arms,
            against,
            "less",
            "best",
        ),
    )


EXPERIMENT = Experiment(
    name="batch_norm",
    title="Batch normalization: none, before, after",
    question="Does BN need fewer epochs, bear more learning rates, end in a lower and steadier loss? And is "
    "it better before or after the activation?",
    arms=ARMS,
    comparisons=(
        *(c for depth in DEPTHS for place in ("before", "after") for c in _m95(depth, place)),
        *(
            Comparison(
                "M9.7",
                f"{depth} CONV: after is right more often than before, each at its best rate",
                "test_accuracy",
                all_rates("after", depth),
                all_rates("before", depth),
                "more",
                "best",
            )
            for depth in DEPTHS
        ),
    ),
    analysis="SGD with momentum 0.9 at each of the rates 0.01, 0.1 and 0.5. Where arms differ in the rate they "
    "suit, each placement is judged at the rate with its best mean validation accuracy; the range of rates is "
    "judged by the worst of the three. Epochs to 80 % are read off a straight line between the validation "
    "accuracies of neighbouring epochs. The jitter compares losses of different height and is reported as it is.",
)
