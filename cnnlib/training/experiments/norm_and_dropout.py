"""The order of BN and dropout, a question that learners ask."""

from cnnlib.training.experiments.plan import Arm, Comparison, Experiment


def diagram(conv: str, fc: str) -> str:
    """What stands behind the RELU of each CONV, and of the FC."""
    return (
        f"INPUT(1, 28, 28) => CONV(16) => RELU{conv} => POOL => CONV(32) => RELU{conv} => POOL => "
        f"FC(64) => RELU{fc} => FC(10)"
    )


BN, DO, LIGHT = " => BN", " => DO(0.5)", " => DO(0.25)"

EXPERIMENT = Experiment(
    name="norm_and_dropout",
    title="The order of BN and dropout",
    question="Does it matter whether dropout comes before or after batch normalization?",
    arms={
        "bn": Arm(diagram(BN, BN), 0.05),
        "fc_bn_do": Arm(diagram(BN, BN + DO), 0.05),
        "fc_do_bn": Arm(diagram(BN, DO + BN), 0.05),
        "all_bn_do": Arm(diagram(BN + LIGHT, BN + DO), 0.05),
        "all_do_bn": Arm(diagram(LIGHT + BN, DO + BN), 0.05),
    },
    comparisons=(
        Comparison(
            "order",
            "between FC layers BN before dropout is right more often than behind it",
            "test_accuracy",
            ("fc_bn_do",),
            ("fc_do_bn",),
        ),
        Comparison(
            "order",
            "behind every layer too BN before dropout is right more often than behind it",
            "test_accuracy",
            ("all_bn_do",),
            ("all_do_bn",),
        ),
        Comparison(
            "order",
            "behind every layer BN before dropout has the lower test loss",
            "test_loss",
            ("all_bn_do",),
            ("all_do_bn",),
            "less",
        ),
    ),
    analysis="Li et al. (2019) explain why BN behind dropout should suffer: in training it measures a variance that "
    "dropout has raised by 1/(1 − p), and at test time that variance is gone. SGD with momentum 0.9 at 0.05. No "
    "line of the ledger asks this; the chapter on dropout can tell it.",
)
