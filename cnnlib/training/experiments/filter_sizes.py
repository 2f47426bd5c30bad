"""Three CONV of 3 × 3 against one of 7 × 7, which see as much (M13.4)."""

from cnnlib.training.experiments.plan import Arm, Comparison, Experiment


def diagram(block: str) -> str:
    """The block on 14 × 14, between a CONV with POOL and the end."""
    return f"INPUT(1, 28, 28) => CONV(16) => RELU => POOL => {block} => POOL => GAP => FC(10)"


EXPERIMENT = Experiment(
    name="filter_sizes",
    title="Three small filters against one large",
    question="At the same receptive field, are three CONV of 3 × 3 right more often than one of 7 × 7, and with "
    "fewer parameters?",
    arms={
        # 3 · (9 · 16 · 16 + 16) = 6,960 parameters in the block
        "three_3x3": Arm(diagram("[CONV(16) => RELU] * 3"), 0.003, "adam"),
        # 49 · 16 · 16 + 16 = 12,560
        "one_7x7": Arm(diagram("CONV(16, 7) => RELU"), 0.003, "adam"),
        # 49 · 16 · 9 + 9 = 7,065: as many as three_3x3, with 9 filters
        "one_7x7_narrow": Arm(diagram("CONV(9, 7) => RELU"), 0.003, "adam"),
        # for scale: one 3 × 3, which sees less
        "one_3x3": Arm(diagram("CONV(16) => RELU"), 0.003, "adam"),
    },
    comparisons=(
        Comparison(
            "M13.4",
            "with as many filters and 45 % fewer parameters the three are right more often",
            "test_accuracy",
            ("three_3x3",),
            ("one_7x7",),
        ),
        Comparison(
            "M13.4",
            "with as many parameters the three are right more often",
            "test_accuracy",
            ("three_3x3",),
            ("one_7x7_narrow",),
        ),
    ),
    analysis="Simonyan and Zisserman (2015, section 2.3): a stack of three sees 7 × 7, has 27 C² weights for 49 "
    "C², and three activations for one. Both comparisons mix depth with filter size, as the claim does. Adam at "
    "0.003.",
    epochs={"small": 6, "full": 5, "slice": 1},
)
