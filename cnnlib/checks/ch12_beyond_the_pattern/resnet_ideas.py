"""Wrong ideas about the module of ``resnet.py``, each as a small implementation."""

from torch import nn

from cnnlib.checks.ch12_beyond_the_pattern.common import PROJECTION, RESIDUAL, SIZES, TOTALS, TRAPS
from cnnlib.checks.ch12_beyond_the_pattern.modules import ResNetBuilder
from cnnlib.checks.engine import Misconception
from cnnlib.checks.inputs import lost


class _FirstStageStrides(ResNetBuilder):
    strides_first = 2


class _EveryBlockStrides(ResNetBuilder):
    def stride(self, stage, unit):
        return 2 if stage else 1


class _NoStrides(ResNetBuilder):
    def stride(self, stage, unit):
        return 1


class _OldDepth(ResNetBuilder):
    def depth(self, before, width, stage, unit):
        return width * 2 ** (stage - 1) if stage else width


class _NoMaxPool(ResNetBuilder):
    max_pool = False


class _StemBias(ResNetBuilder):
    bias = True


class _SmallPool(ResNetBuilder):
    def stem(self, width):
        return [*super().stem(width)[:3], nn.MaxPool2d(2, stride=2)]


class _NoNorm(ResNetBuilder):
    def stem(self, width):
        one, _, *rest = super().stem(width)
        return [one, *rest]


class _Flattened(ResNetBuilder):
    def head(self, depth, classes):
        return [nn.Flatten(), nn.Linear(depth * 7 * 7, classes)]


class _Softmax(ResNetBuilder):
    def head(self, depth, classes):
        return [*super().head(depth, classes), nn.Softmax(dim=1)]


class _OneObject(ResNetBuilder):
    def stage(self, block, sizes):
        made: dict = {}
        return [made.setdefault(size, block(*size)) for size in sizes]


class _PlainList(ResNetBuilder):
    def network(self, stem, blocks, head):
        class Network(nn.Module):
            def __init__(self):
                super().__init__()
                self.stem, self.head = nn.Sequential(*stem), nn.Sequential(*head)
                self.blocks = blocks

            def forward(self, x):
                x = self.stem(x)
                for block in self.blocks:
                    x = block(x)
                return self.head(x)

        return Network()


NAMES = {
    "count": "published totals",
    "blocks": "the row of blocks",
    "stem": "the stem",
    "head": "the head",
    "together": "everything together",
}

IDEAS = (
    Misconception(
        "the first stage strides too",
        _FirstStageStrides(),
        "The pooling of the stem has just halved the map, so the first stage keeps it. Stride 2 begins with "
        "the second stage.",
        SIZES,
        lost(NAMES, "count", "blocks", "together"),
    ),
    Misconception(
        "every block of a stage strides",
        _EveryBlockStrides(),
        "Only the first block of a stage changes size and depth. The others have stride 1 and need no "
        "projection.",
        PROJECTION,
        lost(NAMES, "count", "blocks", "together"),
    ),
    Misconception(
        "no block strides",
        _NoStrides(),
        "Where the depth doubles, the side is halved: stride 2 in the first block of each stage but the "
        "first. The total cannot see it, since a weight does not depend on the size of the map.",
        TRAPS,
        lost(NAMES, "blocks", "together"),
    ),
    Misconception(
        "all blocks of a stage read the old depth",
        _OldDepth(),
        "The first block of a stage changes the depth; the second reads what the first gives. Keep a "
        "variable for the depth, and set it anew after each block.",
        PROJECTION,
        lost(NAMES, "count", "blocks", "together"),
    ),
    Misconception(
        "no pooling in the stem",
        _NoMaxPool(),
        "Behind the first CONV, BN and RELU stands a max pooling of 3 × 3, stride 2, padding 1. It has no "
        "parameters, so the total does not miss it.",
        TRAPS,
        lost(NAMES, "stem", "together"),
    ),
    Misconception(
        "a pooling of 2 × 2 in the stem",
        _SmallPool(),
        "The pooling of the stem has windows of 3 × 3 that overlap: stride 2, padding 1. It has no "
        "parameters, so the total cannot tell.",
        TRAPS,
        lost(NAMES, "stem", "together"),
    ),
    Misconception(
        "the first CONV has a bias",
        _StemBias(),
        "A BN follows, which brings its own shift. The bias adds one number a filter to the total, and "
        "changes nothing.",
        RESIDUAL,
        lost(NAMES, "count"),
    ),
    Misconception(
        "no BN in the stem",
        _NoNorm(),
        "The first CONV has its BN as well, with a scale and a shift for each filter.",
        TOTALS,
        lost(NAMES, "count", "stem", "together"),
    ),
    Misconception(
        "flattened in place of averaged",
        _Flattened(),
        "The last map is averaged to one number a channel, and FC reads these. So it has 512 inputs, not "
        "512 · 7 · 7, and takes images of any size.",
        TOTALS,
        lost(NAMES, "count", "head", "together"),
    ),
    Misconception(
        "softmax at the end",
        _Softmax(),
        "The network ends with its scores. The loss of PyTorch brings the softmax along.",
        TOTALS,
        lost(NAMES, "head", "together"),
    ),
    Misconception(
        "one block object in several places",
        _OneObject(),
        "A list times a number holds the same object again and again, and an object in two places has one "
        "set of weights. Make a new block for each place.",
        TOTALS,
        lost(NAMES, "count"),
    ),
    Misconception(
        "blocks in a plain list",
        _PlainList(),
        "A module finds the weights of what it keeps as an attribute, in `nn.Sequential` or in "
        "`nn.ModuleList`. It does not look into a Python list, so an optimizer would never train these blocks.",
        TOTALS,
        lost(NAMES, "count", "together"),
    ),
)
