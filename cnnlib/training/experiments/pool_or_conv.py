"""Pooling, or a CONV with a stride, with as many parameters and with more (M7.1)."""

from cnnlib.training.experiments.plan import Arm, Comparison, Experiment

IN, OUT = "INPUT(1, 28, 28) => CONV(16) => RELU => ", "CONV(32) => RELU => GAP => FC(10)"

ARMS = {
    "pool": Arm(
        IN + "CONV(16) => RELU => POOL => CONV(32) => RELU => POOL => " + OUT, 0.003, "adam"
    ),
    # the CONV before each POOL takes its stride: the same parameters
    "stride": Arm(
        IN + "CONV(16, stride=2, padding=1, rounding=floor) => RELU => "
        "CONV(32, stride=2, padding=1, rounding=floor) => RELU => " + OUT,
        0.003,
        "adam",
    ),
    # each POOL becomes a CONV of its own: more parameters
    "conv": Arm(
        IN
        + "CONV(16) => RELU => CONV(16, stride=2, padding=1, rounding=floor) => RELU => CONV(32) => RELU => "
        "CONV(32, stride=2, padding=1, rounding=floor) => RELU => " + OUT,
        0.003,
        "adam",
    ),
    # as many CONV as "conv", and POOL
    "conv_pool": Arm(
        IN
        + "CONV(16) => RELU => CONV(16) => RELU => POOL => CONV(32) => RELU => CONV(32) => RELU => POOL => "
        + OUT,
        0.003,
        "adam",
    ),
}

EXPERIMENT = Experiment(
    name="pool_or_conv",
    title="Pooling against convolution with a stride",
    question="Can a CONV with a stride take the place of POOL without loss of accuracy?",
    arms=ARMS,
    comparisons=(
        Comparison(
            "M7.1",
            "at equal parameters the CONV with a stride loses no more than one point to POOL",
            "test_accuracy",
            ("stride",),
            ("pool",),
            "no less",
            margin=0.01,
        ),
        Comparison(
            "M7.1",
            "a CONV in place of each POOL loses no more than one point to POOL",
            "test_accuracy",
            ("conv",),
            ("pool",),
            "no less",
            margin=0.01,
        ),
        Comparison(
            "M7.1",
            "at the larger number of parameters too it loses no more than one point to POOL",
            "test_accuracy",
            ("conv",),
            ("conv_pool",),
            "no less",
            margin=0.01,
        ),
    ),
    analysis="The four networks are those of Springenberg et al. (2015, table 2) in small: base, Strided-CNN, "
    "All-CNN and ConvPool-CNN. Adam at 0.003 for all. The claim is that nothing is lost, so a "
    "margin of one point of accuracy is allowed.",
)
