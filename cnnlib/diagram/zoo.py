"""Well-known networks as diagram texts.

They are the variants of torchvision, for 1,000 classes, and differ from the papers where torchvision
does: AlexNet has 64 filters in its first layer, GoogLeNet has batch normalization and 3 × 3 filters in
the branch that its paper calls 5 × 5 (and no auxiliary heads here), ResNet-50 strides in the 3 × 3
CONV of a unit. Left out is what changes nothing: the adaptive pooling of AlexNet and VGG-16, which is
the identity for inputs of 224 × 224, and the softmax, as the networks give scores.

Where windows do not tile, the text says ``floor`` or ``ceil``, as these networks have it.

References
----------
Krizhevsky (2014), *One weird trick for parallelizing convolutional neural networks* (``alexnet``);
Simonyan and Zisserman (2015), *Very deep convolutional networks for large-scale image recognition*
(``vgg16``); Szegedy et al. (2015), *Going deeper with convolutions* (``googlenet``); He, Zhang, Ren and
Sun (2016), *Deep residual learning for image recognition* (``resnet18``, ``resnet50``); Iandola et al.
(2016), *SqueezeNet* (``squeezenet1_0``, ``squeezenet1_1``).

Examples
--------
>>> print(alexnet)
INPUT(3, 224, 224)
=> CONV(64, 11, stride=4, padding=2, rounding=floor) => RELU => POOL(3, 2)
=> CONV(192, 5) => RELU => POOL(3, 2)
=> CONV(384) => RELU => [CONV(256) => RELU] * 2 => POOL(3, 2)
=> [DO => FC(4096) => RELU] * 2 => FC(1000)
"""

__all__ = [
    "NAMES",
    "alexnet",
    "googlenet",
    "resnet18",
    "resnet50",
    "squeezenet1_0",
    "squeezenet1_1",
    "vgg16",
]

alexnet = """\
INPUT(3, 224, 224)
=> CONV(64, 11, stride=4, padding=2, rounding=floor) => RELU => POOL(3, 2)
=> CONV(192, 5) => RELU => POOL(3, 2)
=> CONV(384) => RELU => [CONV(256) => RELU] * 2 => POOL(3, 2)
=> [DO => FC(4096) => RELU] * 2 => FC(1000)"""

vgg16 = """\
INPUT(3, 224, 224)
=> [CONV(64) => RELU] * 2 => POOL
=> [CONV(128) => RELU] * 2 => POOL
=> [CONV(256) => RELU] * 3 => POOL
=> [CONV(512) => RELU] * 3 => POOL
=> [CONV(512) => RELU] * 3 => POOL
=> [FC(4096) => RELU => DO] * 2 => FC(1000)"""


def _conv(filters: int, kernel: int = 3, more: str = "") -> str:
    """A CONV without bias and its batch normalization, whose shift takes the bias's place."""
    return f"CONV({filters}, {kernel}{more}, bias=false) => BN"


STRIDE_3, STRIDE_1 = ", stride=2, padding=1, rounding=floor", ", stride=2, rounding=floor"


# --- ResNet ---------------------------------------------------------------------------------------


def _basic(filters: int, first: str = "", shortcut: str = "ID") -> str:
    return f"{{ {_conv(filters, 3, first)} => RELU => {_conv(filters)} + {shortcut} }} => RELU"


def _bottleneck(filters: int, first: str = "", shortcut: str = "ID") -> str:
    narrow = f"{_conv(filters, 1)} => RELU => {_conv(filters, 3, first)} => RELU"
    return f"{{ {narrow} => {_conv(4 * filters, 1)} + {shortcut} }} => RELU"


_STEM = "\n".join(
    [
        "INPUT(3, 224, 224)",
        f"=> {_conv(64, 7, ', stride=2, padding=3, rounding=floor')} => RELU",
        "=> POOL(3, 2, padding=1, rounding=floor)",
    ]
)

resnet18 = "\n".join(
    [
        _STEM,
        f"=> [{_basic(64)}] * 2",
        *(
            f"=> {_basic(filters, STRIDE_3, _conv(filters, 1, STRIDE_1))}\n=> {_basic(filters)}"
            for filters in (128, 256, 512)
        ),
        "=> GAP => FC(1000)",
    ]
)

resnet50 = "\n".join(
    [
        _STEM,
        f"=> {_bottleneck(64, shortcut=_conv(256, 1))}",
        f"=> [{_bottleneck(64)}] * 2",
        *(
            f"=> {_bottleneck(filters, STRIDE_3, _conv(4 * filters, 1, STRIDE_1))}\n"
            f"=> [{_bottleneck(filters)}] * {units - 1}"
            for filters, units in ((128, 4), (256, 6), (512, 3))
        ),
        "=> GAP => FC(1000)",
    ]
)


# --- GoogLeNet ------------------------------------------------------------------------------------


def _inception(f1: int, f3_in: int, f3: int, f5_in: int, f5: int, pool: int) -> str:
    """Four branches; the numbers are a row of the paper's table 1."""
    arms = [
        f"{_conv(f1, 1)} => RELU",
        f"{_conv(f3_in, 1)} => RELU => {_conv(f3)} => RELU",
        f"{_conv(f5_in, 1)} => RELU => {_conv(f5)} => RELU",
        f"POOL(3, 1, padding=1) => {_conv(pool, 1)} => RELU",
    ]
    return "=> { " + "\n   | ".join(arms) + " }"


googlenet = "\n".join(
    [
        "INPUT(3, 224, 224)",
        f"=> {_conv(64, 7, ', stride=2, padding=3, rounding=floor')} => RELU",
        "=> POOL(3, 2, rounding=ceil)",
        f"=> {_conv(64, 1)} => RELU => {_conv(192)} => RELU",
        "=> POOL(3, 2, rounding=ceil)",
        _inception(64, 96, 128, 16, 32, 32),
        _inception(128, 128, 192, 32, 96, 64),
        "=> POOL(3, 2, rounding=ceil)",
        _inception(192, 96, 208, 16, 48, 64),
        _inception(160, 112, 224, 24, 64, 64),
        _inception(128, 128, 256, 24, 64, 64),
        _inception(112, 144, 288, 32, 64, 64),
        _inception(256, 160, 320, 32, 128, 128),
        "=> POOL(2, 2, rounding=ceil)",
        _inception(256, 160, 320, 32, 128, 128),
        _inception(384, 192, 384, 48, 128, 128),
        "=> GAP => DO(0.2) => FC(1000)",
    ]
)


# --- SqueezeNet -----------------------------------------------------------------------------------


def _fire(squeeze: int, expand: int) -> str:
    return (
        f"=> CONV({squeeze}, 1) => RELU => {{ CONV({expand}, 1) => RELU | CONV({expand}) => RELU }}"
    )


_HEAD = "=> DO => CONV(1000, 1) => RELU => GAP"

squeezenet1_0 = "\n".join(
    [
        "INPUT(3, 224, 224)",
        "=> CONV(96, 7, stride=2, padding=0, rounding=floor) => RELU",
        "=> POOL(3, 2, rounding=ceil)",
        *(_fire(16, 64), _fire(16, 64), _fire(32, 128)),
        "=> POOL(3, 2, rounding=ceil)",
        *(_fire(32, 128), _fire(48, 192), _fire(48, 192), _fire(64, 256)),
        "=> POOL(3, 2, rounding=ceil)",
        _fire(64, 256),
        _HEAD,
    ]
)

squeezenet1_1 = "\n".join(
    [
        "INPUT(3, 224, 224)",
        "=> CONV(64, 3, stride=2, padding=0, rounding=floor) => RELU",
        "=> POOL(3, 2, rounding=ceil)",
        *(_fire(16, 64), _fire(16, 64)),
        "=> POOL(3, 2, rounding=ceil)",
        *(_fire(32, 128), _fire(32, 128)),
        "=> POOL(3, 2, rounding=ceil)",
        *(_fire(48, 192), _fire(48, 192), _fire(64, 256), _fire(64, 256)),
        _HEAD,
    ]
)

#: Name → text, for whoever looks a network up by name.
NAMES = {
    "alexnet": alexnet,
    "vgg16": vgg16,
    "googlenet": googlenet,
    "resnet18": resnet18,
    "resnet50": resnet50,
    "squeezenet1_0": squeezenet1_0,
    "squeezenet1_1": squeezenet1_1,
}
