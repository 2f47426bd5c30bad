"""The arithmetic of windows, held against counting them one by one and against torch."""

import re
import warnings

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from cnnlib import shapes
from cnnlib.errors import ShapeError

sizes, kernels = st.integers(1, 40), st.integers(1, 9)
strides, paddings, dilations = st.integers(1, 7), st.integers(0, 6), st.integers(1, 4)


def starts_inside(size, kernel, stride, padding, dilation):
    """Starts of all windows that end within the padded input, by trying every position."""
    reach = (kernel - 1) * dilation + 1
    return [s for s in range(-padding, size + padding, stride) if s + reach <= size + padding]


# --- output size ---


@pytest.mark.claim("M4.5", "M4.10")
@given(sizes, kernels, strides, paddings, dilations)
def test_floor_counts_the_windows_that_fit(size, kernel, stride, padding, dilation):
    starts = starts_inside(size, kernel, stride, padding, dilation)
    settings = {"stride": stride, "padding": padding, "dilation": dilation}
    if not starts:
        with pytest.raises(ShapeError, match="does not fit"):
            shapes.output_size(size, kernel, rounding="floor", **settings)
    else:
        assert shapes.output_size(size, kernel, rounding="floor", **settings) == len(starts)


@pytest.mark.claim("M4.6")
@given(sizes, kernels, strides, paddings, dilations)
def test_strict_agrees_with_floor_exactly_when_the_last_window_ends_at_the_edge(
    size, kernel, stride, padding, dilation
):
    starts = starts_inside(size, kernel, stride, padding, dilation)
    assume(starts)
    settings = {"stride": stride, "padding": padding, "dilation": dilation}
    if starts[-1] + (kernel - 1) * dilation + 1 == size + padding:
        assert shapes.output_size(size, kernel, **settings) == len(starts)
    else:
        with pytest.raises(ShapeError, match="do not tile"):
            shapes.output_size(size, kernel, **settings)


@given(st.integers(1, 30), st.integers(1, 6), strides, st.integers(0, 3), st.booleans())
def test_rounding_agrees_with_torch_pooling(size, kernel, stride, padding, ceil):
    assume(padding <= kernel // 2 and size + 2 * padding >= kernel)
    x = torch.zeros(1, 1, size)
    out = torch.nn.functional.max_pool1d(x, kernel, stride, padding, ceil_mode=ceil)
    rounding = "ceil" if ceil else "floor"
    got = shapes.output_size(size, kernel, stride=stride, padding=padding, rounding=rounding)
    assert got == out.shape[-1]


@pytest.mark.claim("M4.3")
@pytest.mark.parametrize(
    ("settings", "expected"), [({}, 3), ({"stride": 2}, 2), ({"padding": 1}, 5)]
)
def test_the_worked_example(settings, expected):
    assert shapes.output_size(5, 3, **settings) == expected


@pytest.mark.claim("M4.8", "M4.9")
def test_alexnet_as_printed_with_227_and_in_torchvision():
    with pytest.raises(ShapeError, match=re.escape("= 54.25 is not a whole number")):
        shapes.output_size(224, 11, stride=4)
    assert shapes.output_size(227, 11, stride=4) == 55
    with pytest.raises(ShapeError, match=re.escape("= 55.25 is not a whole number")):
        shapes.output_size(224, 11, stride=4, padding=2)
    assert shapes.output_size(224, 11, stride=4, padding=2, rounding="floor") == 55
    assert shapes.unseen(224, 11, 4, 0) == 1


@pytest.mark.claim("M4.7")
def test_resnet_is_floored_from_112_and_a_half_and_loses_no_pixel():
    with pytest.raises(ShapeError, match=re.escape("= 112.5 is not a whole number")):
        shapes.output_size(224, 7, stride=2, padding=3)
    assert shapes.output_size(224, 7, stride=2, padding=3, rounding="floor") == 112
    assert shapes.unseen(224, 7, 2, 3) == 0


@pytest.mark.claim("M4.1", "M4.2")
@given(st.integers(5, 40), kernels, st.integers(1, 6))
def test_a_larger_stride_never_gives_more(size, kernel, stride):
    assume(kernel <= size)
    smaller = shapes.output_size(size, kernel, stride=stride + 1, rounding="floor")
    assert smaller <= shapes.output_size(size, kernel, stride=stride, rounding="floor")


# --- padding ---


@pytest.mark.claim("M4.4")
@given(sizes, kernels, dilations)
def test_same_padding_keeps_the_size_and_splits_as_torch_does(size, kernel, dilation):
    before, after = shapes.same_padding(kernel, dilation=dilation)
    assert shapes.output_size(size, kernel, padding=(before, after), dilation=dilation) == size
    assert after - before in (0, 1)
    if dilation * (kernel - 1) % 2 == 0:
        assert before == after == dilation * (kernel - 1) // 2
    ramp = torch.arange(1.0, size + 1)[None, None]
    first_tap = torch.zeros(1, 1, kernel)
    first_tap[..., 0] = 1
    conv1d, pad = torch.nn.functional.conv1d, torch.nn.functional.pad
    ours = conv1d(pad(ramp, (before, after)), first_tap, dilation=dilation)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns that an even kernel costs it a copy
        theirs = conv1d(ramp, first_tap, padding="same", dilation=dilation)
    assert torch.equal(ours, theirs)


@pytest.mark.claim("M4.4")
def test_without_padding_a_stack_of_3x3_starves():
    size = 32
    for _ in range(15):
        size = shapes.output_size(size, 3)
    assert size == 2
    with pytest.raises(ShapeError, match="does not fit"):
        shapes.output_size(size, 3)


# --- unseen pixels ---


@given(sizes, kernels, strides, paddings, dilations)
def test_coverage_counts_windows_and_unseen_counts_the_far_edge(
    size, kernel, stride, padding, dilation
):
    starts = starts_inside(size, kernel, stride, padding, dilation)
    assume(starts)
    reads = [s + tap * dilation for s in starts for tap in range(kernel)]
    expected = [reads.count(pixel) for pixel in range(size)]
    settings = {"stride": stride, "padding": padding, "dilation": dilation}
    assert shapes.coverage(size, kernel, **settings) == expected
    beyond = [p for p in range(size) if p > starts[-1] + (kernel - 1) * dilation]
    assert shapes.unseen(size, kernel, stride, padding, dilation=dilation) == len(beyond)


# --- suggestions ---


@given(sizes, kernels, strides, st.integers(0, 3), dilations)
def test_every_suggestion_works_and_none_is_nearer(size, kernel, stride, padding, dilation):
    assume(starts_inside(size, kernel, stride, padding, dilation))
    near = shapes.nearest_valid(size, kernel, stride=stride, padding=padding, dilation=dilation)
    given_values = {"size": size, "kernel": kernel, "stride": stride, "padding": padding}

    def works(**change):
        values = {**given_values, **change}
        try:
            shapes.output_size(
                values.pop("size"), values.pop("kernel"), dilation=dilation, **values
            )
        except ShapeError:
            return False
        return True

    for name, values in zip(("size", "stride", "padding", "kernel"), near, strict=True):
        for value in values:
            assert works(**{name: value})
            between = range(min(value, given_values[name]) + 1, max(value, given_values[name]))
            assert not any(works(**{name: other}) for other in between)


# --- parameters ---


@pytest.mark.claim("M3.7")
@given(st.integers(1, 6), st.integers(1, 6), kernels, st.booleans(), st.integers(1, 3))
def test_conv_params_counts_what_torch_allocates(channels, filters, kernel, bias, groups):
    layer = torch.nn.Conv2d(
        channels * groups, filters * groups, kernel, groups=groups, bias=bias, device="meta"
    )
    total = sum(p.numel() for p in layer.parameters())
    got = shapes.conv_params(channels * groups, filters * groups, kernel, groups=groups, bias=bias)
    assert got == total


def test_linear_params():
    assert shapes.linear_params(3072, 10) == 3072 * 10 + 10
    assert shapes.linear_params(3072, 10, bias=False) == 30720


def test_conv_params_refuses_channels_that_groups_do_not_divide():
    with pytest.raises(ShapeError, match=r"in_channels=7 is not divisible by groups=2: .* 6 or 8"):
        shapes.conv_params(7, 8, 3, groups=2)


# --- receptive field ---


@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.integers(1, 2)),
        min_size=1,
        max_size=4,
    )
)
def test_receptive_field_is_what_a_gradient_reaches(layers):
    """Independent judge: mark the inputs that influence output 0 and output 1, index by index."""
    field = shapes.receptive_field(layers)

    def inputs_of(output):
        reached = {output}
        for kernel, stride, padding, dilation in reversed(layers):
            reached = {o * stride - padding + t * dilation for o in reached for t in range(kernel)}
        return reached

    first, second = inputs_of(0), inputs_of(1)
    assert field.size == max(first) - min(first) + 1
    assert field.start == (max(first) + min(first)) / 2
    assert field.jump == min(second) - min(first)


# Kernel, stride and padding from the input to the last pooling or CONV.
ALEXNET = [(11, 4, 0), (3, 2), (5, 1, 2), (3, 2), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2)]
VGG16 = [w for convs in (2, 2, 3, 3, 3) for w in [(3, 1, 1)] * convs + [(2, 2)]]


def bottlenecks(stride_at):
    stem = [(7, 2, 3), (3, 2, 1)]
    for stage, units in enumerate((3, 4, 6, 3)):
        for unit in range(units):
            stride = 2 if stride_at(stage, unit, units) else 1
            stem += [(1,), (3, stride, 1), (1,)]
    return stem


def basic_blocks():
    stem = [(7, 2, 3), (3, 2, 1)]
    for stage in range(4):
        for unit in range(2):
            stem += [(3, 2 if stage and not unit else 1, 1), (3, 1, 1)]
    return stem


@pytest.mark.claim("M3.4")
@pytest.mark.parametrize(
    ("layers", "size"),
    [
        (ALEXNET, 195),
        (VGG16, 212),
        (bottlenecks(lambda stage, unit, units: stage < 3 and unit == units - 1), 483),
        (bottlenecks(lambda stage, unit, units: stage > 0 and unit == 0), 427),
        (basic_blocks(), 435),
    ],
    ids=["alexnet", "vgg16", "resnet50 of the article", "resnet50 of torchvision", "resnet18"],
)
def test_published_receptive_fields(layers, size):
    assert shapes.receptive_field(layers).size == size


# --- what users hand in ---


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: shapes.output_size(5.0, 3),
            "size=5.0 is not a whole number: it must be an int of at least 1. Write 5.",
        ),
        (
            lambda: shapes.output_size(5, 3, stride=0),
            "stride=0 is too small: it must be a whole number of at least 1.",
        ),
        (
            lambda: shapes.output_size(5, True),
            "kernel=True is not a whole number: it must be an int of at least 1.",
        ),
        (
            lambda: shapes.output_size(5, 3, padding=(1, 2, 3)),
            "padding=(1, 2, 3) has 3 entries: give one int for both sides, or a pair (before, after).",
        ),
        (
            lambda: shapes.output_size(5, 3, rounding="round"),
            'rounding=\'round\' is unknown: use "strict", "floor" or "ceil".',
        ),
        (
            lambda: shapes.pair("stride", (1, 2, 3), 1),
            "stride=(1, 2, 3) has 3 entries: give one int for both axes, or a pair (height, width).",
        ),
        (
            lambda: shapes.output_size(224, 11, stride=4),
            "size=224, kernel=11, stride=4, padding=0, dilation=1 do not tile: (224 − 11 + 2·0)/4 + 1 = 54.25 is not a whole number. "
            "Nearest that work: size 223 or 227; stride 3 or 71. "
            'Or take rounding="floor", as PyTorch does, for 54 positions that leave the last 1 of 224 padded pixels unread.',
        ),
        (
            lambda: shapes.output_shape((224, 5), 7, stride=1),
            "width: kernel=7 with dilation=1 does not fit into size=5 with padding=0: the window needs 7 pixels and the padded input has 5. "
            "What would fit: padding of at least 1, a kernel of at most 5 or a size of at least 7.",
        ),
    ],
)
def test_messages_name_argument_value_rule_and_remedy(call, message):
    with pytest.raises(ShapeError) as error:
        call()
    assert str(error.value) == message


def test_numpy_integers_are_welcome():
    assert shapes.output_size(np.int64(5), np.int32(3)) == 3
