"""The graders of exercise ch12_beyond_the_pattern: right modules of any structure pass, and nothing of torch is disturbed."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from cnnlib.checks import ch12_beyond_the_pattern as exercise
from cnnlib.checks.ch12_beyond_the_pattern.block import BasicBlock
from cnnlib.checks.ch12_beyond_the_pattern.driving import count, draw, fill, quiet, run_array
from cnnlib.checks.ch12_beyond_the_pattern.modules import Fire, Inception, resnet
from cnnlib.checks.engine import examine
from cnnlib.diagram import build, summarize, zoo

TASKS = exercise.EXERCISE.tasks
# the points table of the exercise, written down here a second time on purpose
POINTS = {"a": 10, "b": 12, "c": 7, "d": 10}


def _report(letter, written, seeds=("visible", "a secret")):
    return examine(exercise.EXERCISE, TASKS[letter], written, seeds=list(seeds))


def _lost(report):
    return {row.part for row in report.rows if row.status != "earned"}


def test_the_points():
    assert {letter: task.points for letter, task in TASKS.items()} == POINTS


# --- the reference is right -----------------------------------------------------------------------


def _any_weights(owner, shape, seed):
    if len(shape) > 1:
        return draw(shape, seed, -1.0, 1.0) / np.sqrt(np.prod(shape[1:]))
    return draw(shape, seed)


BLOCKS = {
    "inception": (
        lambda: Inception(6, 3, 4, 5, 2, 7, 8),
        """INPUT(6, 9, 7)
        => { CONV(3, 1) => RELU | CONV(4, 1) => RELU => CONV(5) => RELU
           | CONV(2, 1) => RELU => CONV(7, 5) => RELU | POOL(3, 1, padding=1) => CONV(8, 1) => RELU }""",
    ),
    "residual": (
        lambda: BasicBlock(5, 5),
        """INPUT(5, 9, 7)
        => { CONV(5, bias=false) => BN => RELU => CONV(5, bias=false) => BN + ID } => RELU""",
    ),
    "projection": (
        lambda: BasicBlock(4, 6, stride=2),
        """INPUT(4, 9, 7)
        => { CONV(6, stride=2, padding=1, rounding=floor, bias=false) => BN => RELU => CONV(6, bias=false) => BN
           + CONV(6, 1, stride=2, rounding=floor, bias=false) => BN } => RELU""",
    ),
    "fire": (
        lambda: Fire(6, 2, 3, 4),
        "INPUT(6, 9, 7) => CONV(2, 1) => RELU => { CONV(3, 1) => RELU | CONV(4) => RELU }",
    ),
    "resnet": (lambda: resnet(BasicBlock, (2, 2, 2, 2)), zoo.resnet18.replace("224", "64")),
}


@pytest.mark.claim("M12.1", "M12.2")
@pytest.mark.parametrize("name", BLOCKS)
def test_the_reference_agrees_with_the_diagram(name):
    make, text = BLOCKS[name]
    summary = summarize(text)
    with quiet():
        ours, theirs = make(), build(text, backend="torch")
        assert count(ours, 1) == summary.totals.params
        x = np.random.default_rng(0).normal(size=(2, *theirs.plan.in_shape))
        ours.train()
        out = run_array(ours, x, _any_weights)
        np.testing.assert_allclose(out, run_array(theirs, x, _any_weights), rtol=1e-9, atol=1e-9)
        assert np.ptp(out) > 0.1


# --- the good side --------------------------------------------------------------------------------


class OneByOne(nn.Module):
    """No Sequential, layers in another order, one RELU behind the stacking, RELUs in place."""

    def __init__(self, in_channels, f1, f3_in, f3, f5_in, f5, pool):
        super().__init__()
        self.last = nn.Conv2d(in_channels, pool, 1)
        self.c5 = nn.Conv2d(f5_in, f5, (5, 5), padding="same")
        self.r5 = nn.Conv2d(in_channels, f5_in, 1)
        self.c3 = nn.Conv2d(f3_in, f3, 3, 1, 1)
        self.r3 = nn.LazyConv2d(f3_in, 1)
        self.c1 = nn.Conv2d(in_channels, f1, 1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        pooled = functional.max_pool2d(x, 3, stride=1, padding=1)
        five = self.c5(self.relu(self.r5(x)))
        three = self.c3(functional.relu(self.r3(x)))
        return self.relu(torch.cat((self.c1(x), three, five, self.last(pooled)), -3))


class ByHand(nn.Module):
    """Weights and statistics as bare parameters and buffers, functions in place of layers."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.stride, self.same = stride, in_channels == out_channels and stride == 1
        self.w1 = nn.Parameter(torch.randn(out_channels, in_channels, 3, 3))
        self.w2 = nn.Parameter(torch.randn(out_channels, out_channels, 3, 3))
        if not self.same:
            self.w3 = nn.Parameter(torch.randn(out_channels, in_channels, 1, 1))
        for number in range(2 if self.same else 3):
            setattr(self, f"gamma{number}", nn.Parameter(torch.ones(out_channels)))
            setattr(self, f"beta{number}", nn.Parameter(torch.zeros(out_channels)))
            self.register_buffer(f"mean{number}", torch.zeros(out_channels))
            self.register_buffer(f"var{number}", torch.ones(out_channels))

    def norm(self, x, number):
        names = ("mean", "var", "gamma", "beta")
        mean, var, gamma, beta = (getattr(self, f"{name}{number}") for name in names)
        return functional.batch_norm(x, mean, var, gamma, beta, training=self.training)

    def forward(self, x):
        out = functional.relu(
            self.norm(functional.conv2d(x, self.w1, stride=self.stride, padding=1), 0)
        )
        out = self.norm(functional.conv2d(out, self.w2, padding=1), 1)
        out += x if self.same else self.norm(functional.conv2d(x, self.w3, stride=self.stride), 2)
        return out.relu_()


class Down(nn.Module):
    """The shortcut takes every second pixel by a slice, in front of a 1 × 1 at stride 1; RELU is shared."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.conv2 = nn.LazyConv2d(out_channels, 3, padding=1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(out_channels), nn.BatchNorm2d(out_channels)
        self.relu, self.stride, self.around = nn.ReLU(True), stride, None
        if stride != 1 or in_channels != out_channels:
            self.around = nn.Conv2d(in_channels, out_channels, 1, bias=False)
            self.bn3 = nn.BatchNorm2d(out_channels)

    def forward(self, x):
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        if self.around is None:
            return self.relu(out + x)
        return self.relu(out.add_(self.bn3(self.around(x[:, :, :: self.stride, :: self.stride]))))


class Stack(nn.Module):
    """Made of parts that are modules themselves."""

    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleDict({str(i): branch for i, branch in enumerate(branches)})

    def forward(self, x):
        return torch.concat([branch(x) for branch in self.branches.values()], dim=1)


def fire_function(in_channels, squeeze, expand1, expand3):
    """A function that gives a module is as good as a class."""
    one, three = nn.Conv2d(squeeze, expand1, 1), nn.Conv2d(squeeze, expand3, 3, padding=1)
    return nn.Sequential(
        nn.Conv2d(in_channels, squeeze, 1), nn.ReLU(), Stack(one, three), nn.ReLU()
    )


class InStages(nn.Module):
    """Four stages as attributes, one pass written out, the mean in place of a pooling layer."""

    def __init__(self, block, units, classes=1000, width=64):
        super().__init__()
        self.conv = nn.Conv2d(3, width, kernel_size=7, stride=2, padding=3, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.reading = width
        self.layer1 = self.stage(block, units[0], width, 1)
        self.layer2 = self.stage(block, units[1], 2 * width, 2)
        self.layer3 = self.stage(block, units[2], 4 * width, 2)
        self.layer4 = self.stage(block, units[3], 8 * width, 2)
        self.fc = nn.LazyLinear(classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
                assert float(module.weight.sum()) == float(module.weight.sum())

    def stage(self, block, number, filters, stride):
        made = nn.ModuleList([block(self.reading, filters, stride=stride)])
        made.extend(block(filters, out_channels=filters) for _ in range(number - 1))
        self.reading = filters
        return made

    def forward(self, x):
        x = functional.max_pool2d(self.norm(self.conv(x)), 3, 2, 1).relu_()
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            for block in stage:
                x = block(x)
        return self.fc(x.mean(dim=(2, 3)))


@pytest.mark.filterwarnings("ignore:Lazy modules:UserWarning")
@pytest.mark.parametrize(
    ("letter", "written"),
    [("a", OneByOne), ("b", ByHand), ("b", Down), ("c", fire_function), ("d", InStages)],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_another_structure_is_as_good(letter, written):
    report = _report(letter, written)
    assert report.points == POINTS[letter], str(report)


def test_nothing_of_torch_is_disturbed():
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    threads = torch.get_num_threads()
    for letter, written in (("a", Inception), ("b", ByHand), ("d", resnet)):
        _report(letter, written, ["visible"])
    assert torch.equal(torch.rand(4), expected)
    assert torch.get_num_threads() == threads
    assert torch.is_grad_enabled()
    assert torch.get_default_dtype() == torch.float32
    assert torch.empty(1).device.type == "cpu"

    class Raises(nn.Module):
        def __init__(self, *sizes, **settings):
            super().__init__()
            raise RuntimeError

    _report("d", Raises, ["visible"])
    assert torch.empty(1).device.type == "cpu"
    assert torch.get_num_threads() == threads


# --- the bad side ---------------------------------------------------------------------------------


def _idea(letter, name):
    return next(m for m in TASKS[letter].misconceptions if m.name == name)


@pytest.mark.parametrize(
    ("letter", "name", "points"),
    [
        ("a", "the branches are added", 2),
        ("a", "nothing behind the pooling", 7),
        ("a", "no RELU behind the reductions", 8),
        ("a", "batch norm in the block", 8),
        ("b", "the input is not added", 3),
        ("b", "RELU only before the addition", 10),
        ("b", "CONV with a bias in front of BN", 10),
        ("c", "no RELU behind the squeeze", 5),
        ("c", "two squeezes", 5),
        ("d", "no pooling in the stem", 7),
        ("d", "the first CONV has a bias", 7),
        ("d", "blocks in a plain list", 6),
    ],
)
def test_points_worked_out_by_hand(letter, name, points):
    assert _report(letter, _idea(letter, name).function).points == points


def test_two_mistakes_cost_two_parts_and_each_is_named():
    class Two(BasicBlock):
        def way_around(self, inputs, filters, stride):
            around = super().way_around(inputs, filters, stride)
            return around[:1]

        def forward(self, x):
            return self.branch(x) + self.shortcut(x)

    Two.__module__ = __name__
    report = _report("b", Two)
    assert _lost(report) == {
        "parameters",
        "the projection shortcut",
        "the stride of the branch",
        "RELU in its two places",
    }
    assert [idea.name for idea in report.ideas] == [
        "the projection has no BN",
        "no RELU behind the addition",
    ]


@pytest.mark.parametrize("padding", [0, 1])
def test_any_branch_without_its_padding_is_the_same_idea(padding):
    class Other(OneByOne):
        def __init__(self, *sizes):
            super().__init__(*sizes)
            self.c5 = nn.Conv2d(sizes[4], sizes[5], 5, padding=padding)

    report = _report("a", Other)
    assert [idea.name for idea in report.ideas] == ["a branch without its padding"]
    assert "StackingError: Sizes of tensors must match except in dimension 1" in str(report)
    assert "tensor number 2" in str(report)


class Unwritten(Fire):
    def forward(self, x):
        raise NotImplementedError()


class Misnamed(nn.Module):
    def __init__(self, *sizes):
        super().__init__()
        self.layer = nn.Conv2d(sizes[0], sizes[1], 1)

    def foward(self, x):
        return self.layer(x)


class NoReturn(Fire):
    def forward(self, x):
        super().forward(x)


class InForward(nn.Module):
    def __init__(self, *sizes):
        super().__init__()
        self.sizes = sizes

    def forward(self, x):
        return nn.Conv2d(self.sizes[0], self.sizes[2] + self.sizes[3], 1)(x)


class WrongDepth(Fire):
    def layers(self, inputs, squeeze, one, three):
        return [*super().layers(inputs, squeeze, one, three)[:2], nn.Conv2d(inputs, three, 3)]


class ChangesItsInput(Fire):
    def forward(self, x):
        return super().forward(x.relu_())


@pytest.mark.parametrize(
    ("written", "points", "words"),
    [
        (Unwritten, 2, "not written yet"),
        (Misnamed, 0, "the class has no method `forward`. Is the name right"),
        (NoReturn, 2, "forward gave a NoneType, not a tensor: is the return missing?"),
        (InForward, 0, "this layer did not follow: is it made in forward"),
        (WrongDepth, 0, "ChannelsError: Given groups=1, weight of size"),
        (lambda *sizes: Fire, 0, "gave a type, not an nn.Module"),
    ],
)
def test_mistakes_with_modules_are_named_in_words(written, points, words):
    report = _report("c", written)
    assert report.points == points, str(report)
    assert words in str(report), str(report)
    assert not report.ideas, str(report)


def test_the_line_of_the_error_is_shown():
    report = _report("c", InForward)
    assert "return nn.Conv2d(self.sizes[0], self.sizes[2] + self.sizes[3], 1)(x)" in str(report)


def test_a_module_that_changes_its_input_is_told_so():
    assert "changed its input x" in str(_report("c", ChangesItsInput))


def test_the_wrong_total_is_told_with_its_difference():
    report = _report("d", _idea("d", "the first CONV has a bias").function)
    assert "expected 11,689,512 parameters, got 11,689,576: 64 too many" in str(report)
    report = _report("d", _idea("d", "no block strides").function)
    assert (
        "block 3 of 8 as (in_channels, out_channels, stride): expected (4, 8, 2), got (4, 8, 1)"
        in str(report)
    )


@pytest.mark.claim("M12.2")
def test_the_numbers_of_the_written_answer():
    with quiet(), torch.device("meta"):
        right = count(resnet(BasicBlock, (2, 2, 2, 2)), 3)
        anna = count(_idea("d", "the first CONV has a bias").function(BasicBlock, (2, 2, 2, 2)), 3)
        ben = count(_idea("d", "the first stage strides too").function(BasicBlock, (2, 2, 2, 2)), 3)
        clara = count(_idea("d", "no pooling in the stem").function(BasicBlock, (2, 2, 2, 2)), 3)
    assert (right, anna, ben, clara) == (11_689_512, 11_689_576, 11_693_736, 11_689_512)
    assert count(Fire(96, 32, 64, 64), 96) == 23_712
    assert right - 522_536 == 11_166_976


def test_values_depend_on_the_shape_alone():
    one, other = nn.Conv2d(3, 4, 3), nn.Sequential(nn.ReLU(), nn.Conv2d(3, 4, 3))
    for module in (one, other):
        with torch.no_grad():
            fill(module, lambda owner, shape, seed: draw(shape, seed), 5)
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
