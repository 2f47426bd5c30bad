"""Zero padding, or none, in stacks of CONV (M13.6)."""

from cnnlib.training.experiments.plan import Arm, Comparison, Experiment


def diagram(layers: int, padded: bool) -> str:
    """One CONV and POOL, then a stack on 14 × 14; without padding each CONV takes 2 rows and columns."""
    conv = "CONV(24)" if padded else "CONV(24, padding=0)"
    return f"INPUT(1, 28, 28) => CONV(16) => RELU => POOL => [{conv} => RELU] * {layers} => GAP => FC(10)"


EXPERIMENT = Experiment(
    name="zero_padding",
    title="Zero padding in a deep stack",
    question="Is a stack of CONV right more often when zeros keep its size than when it shrinks?",
    arms={
        f"{'padded' if padded else 'bare'}_{layers}": Arm(diagram(layers, padded), 0.003, "adam")
        for layers in (3, 6)
        for padded in (True, False)
    },
    comparisons=tuple(
        Comparison(
            "M13.6",
            f"a stack of {layers}: with padding it is right more often",
            "test_accuracy",
            (f"padded_{layers}",),
            (f"bare_{layers}",),
        )
        for layers in (3, 6)
    ),
    analysis="14 × 14 shrinks to 8 × 8 in three layers and to 2 × 2 in six. Both end in GAP, so the parameters "
    "are the same; the padded stack computes more. Adam at 0.003.",
)
