"""Rules of thumb, one small function each, with the line of the material that it comes from.

A rule stays silent where it needs a size that the diagram does not give. Where practice disagrees with
a rule of thumb, the linter reports only what both sides agree on: batch normalization before the
activation is as common as after it, so only a mixture of the two is reported.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from cnnlib import shapes
from cnnlib.diagram.parse import read
from cnnlib.diagram.places import Place, next_layers, places_of, window
from cnnlib.diagram.tree import SIGNATURES, Chain, Layer
from cnnlib.errors import CnnlibError, ShapeError

__all__ = ["RULES", "Finding", "lint"]

Severity = Literal["error", "warning", "note"]
Report = tuple[Severity, Place, str, str, str]

ACTIVATIONS = "RELU LRELU ELU ACT"
COMMON_SIZES = (32, 64, 96, 224, 227, 299)
LARGE_INPUT = 200
SMALL_INPUT = 96


@dataclass(frozen=True)
class Finding:
    """What a rule has found.

    Attributes
    ----------
    rule : str
        Id of the line of the material, such as ``"M13.4"``.
    severity : {"error", "warning", "note"}
        An error cannot be built as written; a warning is most likely a mistake; a note is a choice
        to know about.
    at : int
        Where in the text.
    message, why, rewrite : str
        What was found, the reason for the rule, and what to write instead.
    """

    rule: str
    severity: Severity
    at: int
    message: str
    why: str
    rewrite: str


def lint(diagram: str | Chain, disable: Collection[str] = ()) -> list[Finding]:
    """Check a diagram against the rules of thumb.

    Parameters
    ----------
    diagram : str or Chain
        In a pattern, open repeats count as 2 and optional parts as there.
    disable : collection of str
        Ids of the rules that shall not report.

    Returns
    -------
    list of Finding
        In the order of the text; each place is reported once by each rule. For a tree the places are
        those of its canonical text.

    Raises
    ------
    DiagramError
        If the text is no diagram.
    CnnlibError
        If `disable` names an unknown rule.

    Examples
    --------
    >>> for finding in lint("INPUT(3, 32, 32) => CONV(16) => FC(10)", disable=["M13.8"]):
    ...     print(finding.rule, finding.severity, finding.at, finding.message)
    ...     print(finding.rewrite)
    M2.4 warning 20 There is no activation between CONV and FC.
    CONV(16) => RELU
    """
    unknown = sorted(set(disable) - {rule for rule, _ in RULES})
    if unknown:
        known = ", ".join(dict.fromkeys(rule for rule, _ in RULES))
        raise CnnlibError(f"disable={unknown[0]!r} is no rule: the rules are {known}.")
    text, _ = read(diagram)
    places = places_of(text)
    found: dict[tuple[str, int, str], Finding] = {}
    for rule, check in RULES:
        if rule not in disable:
            for severity, place, message, why, rewrite in check(places):
                at = place.layer.at
                found.setdefault(
                    (rule, at, why), Finding(rule, severity, at, message, why, rewrite)
                )
    return sorted(found.values(), key=lambda finding: finding.at)


# --- what a rule asks ---------------------------------------------------------------------------


def _of(places: list[Place], kinds: str) -> Iterator[Place]:
    return (place for place in places if place.kind in kinds.split())


def _input_size(places: list[Place]) -> int | None:
    """The longer side of the input, if it is known."""
    first = places[0].layer
    if first.kind != "INPUT" or None in (first.get("height"), first.get("width")):
        return None
    return max(first.get("height"), first.get("width"))


def _sides(layer: Layer, name: str) -> tuple[int, int]:
    value = layer.get(name)
    return value if isinstance(value, tuple) else (value, value)


def _with(layer: Layer, **settings: object) -> str:
    """The layer's text with other settings."""
    merged = dict(layer.settings) | settings
    names = [name for name in SIGNATURES[layer.kind] if name in merged]
    return str(Layer(layer.kind, tuple((name, merged[name]) for name in names)))


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{count} {noun}s"


# --- order of the layers ------------------------------------------------------------------------


def activation_missing(places: list[Place]) -> Iterator[Report]:
    for place in _of(places, "CONV FC"):
        for other in next_layers(place, "BN DO ID POOL GAP"):
            if other.kind in ("CONV", "FC"):
                yield (
                    "warning",
                    place,
                    f"There is no activation between {place.kind} and {other.kind}.",
                    "Without one, two linear layers do little more than one does, and the reader of a "
                    "diagram should not have to guess it.",
                    f"{place.layer} => RELU",
                )


def activation_doubled(places: list[Place]) -> Iterator[Report]:
    for place in _of(places, ACTIVATIONS):
        if place.before and not place.joined and place.before[0].kind in ACTIVATIONS.split():
            first = place.before[0]
            yield (
                "warning",
                place,
                f"{place.kind} follows {first.kind}: two activations in a row.",
                "One nonlinearity after a CONV or FC is enough; ReLU applied twice is ReLU.",
                str(first.layer),
            )


def softmax_in_the_middle(places: list[Place]) -> Iterator[Report]:
    for place in _of(places, "SOFTMAX"):
        if place.after:
            yield (
                "warning",
                place,
                f"SOFTMAX is followed by {place.after[0].kind}.",
                "Softmax turns the scores of the last layer into probabilities; inside the network it "
                "squeezes the gradients.",
                "Move SOFTMAX to the end, or write RELU here.",
            )


def softmax_without_scores(places: list[Place]) -> Iterator[Report]:
    for place in _of(places, "SOFTMAX"):
        for other in next_layers(place, "ID BN", backward=True):
            if other.kind in ("DO", *ACTIVATIONS.split()) and not any(
                each.kind == "GAP" for each in place.before
            ):
                yield (
                    "warning",
                    place,
                    f"SOFTMAX follows {other.kind}: the FC that gives the class scores is missing.",
                    "Scores may be negative and none may be dropped. Many diagrams leave this last FC "
                    "out, AlexNet's and VGG's among them.",
                    "FC(classes) => SOFTMAX",
                )


def conv_behind_fc(places: list[Place]) -> Iterator[Report]:
    for place in _of(places, "FC GAP"):
        for other in next_layers(place, f"{ACTIVATIONS} BN DO ID SOFTMAX"):
            if other.kind in ("CONV", "POOL", "GAP"):
                yield (
                    "error",
                    other,
                    f"{other.kind} follows {place.kind}, which leaves no height and width.",
                    "A window needs a volume to slide over. A 1 × 1 CONV is an FC applied at every "
                    "position, and keeps the volume.",
                    f"Move {other.layer} before {place.layer}."
                    if place.kind == "GAP" or place.layer.get("units") is None
                    else f"CONV({place.layer.get('units')}, 1) => {other.layer}",
                )


def pool_without_conv(places: list[Place]) -> Iterator[Report]:
    for place in _of(places, "POOL"):
        if max(_sides(place.layer, "stride")) == 1:
            continue
        for other in next_layers(place, f"{ACTIVATIONS} BN DO ID", backward=True):
            shrinks = other.kind == "POOL" and max(_sides(other.layer, "stride")) > 1
            if shrinks or other.kind == "INPUT":
                yield (
                    "warning",
                    place,
                    f"POOL follows {other.kind} with no CONV between.",
                    "Pooling discards activations: let CONV layers use them first.",
                    f"CONV => RELU => {place.layer}",
                )


# --- windows and sizes --------------------------------------------------------------------------


def _halves(layer: Layer) -> bool:
    return layer.kind == "POOL" and _sides(layer, "kernel") == _sides(layer, "stride") == (2, 2)


def windows_do_not_tile(places: list[Place]) -> Iterator[Report]:
    for place in _of(places, "CONV POOL"):
        if _halves(place.layer):
            continue
        lost: list[str] = []
        for size, axis, line in zip(place.volume[1:], (0, 1), ("row", "column"), strict=True):
            if size is None:
                continue
            kernel, stride, padding, dilation = window(place.layer, axis)
            rounding = place.layer.get("rounding")
            try:
                shapes.output_size(
                    size,
                    kernel,
                    stride=stride,
                    padding=padding,
                    dilation=dilation,
                    rounding=rounding,
                )
            except ShapeError as error:
                yield (
                    "error",
                    place,
                    f"The windows of {place.layer} do not fit: {error}",
                    "The output size (W − F + 2P)/S + 1 must be a whole number.",
                    f"{_with(place.layer, rounding='floor')} rounds down, as PyTorch does.",
                )
                lost = []
                break
            unseen = shapes.unseen(size, kernel, stride, padding, dilation=dilation)
            # A stride beyond the kernel skips pixels everywhere, and on purpose.
            if rounding == "floor" and unseen and kernel >= stride:
                lost.append(f"the last {_plural(unseen, line)}")
        if lost:
            yield (
                "warning",
                place,
                f"No window of {place.layer} sees {' and '.join(lost)}.",
                "Rounding the output size down ignores the far edge.",
                "Add padding, or change the input size.",
            )


def odd_size_into_pool(places: list[Place]) -> Iterator[Report]:
    for place in _of(places, "POOL"):
        sizes = [size for size in place.volume[1:] if size is not None and size % 2]
        if sizes and _halves_at(place):
            strict = place.layer.get("rounding") == "strict"
            yield (
                "error" if strict else "warning",
                place,
                f"POOL 2 × 2 with stride 2 meets the odd size {sizes[0]}.",
                "An input that can be halved once for each POOL is pooled evenly all the way.",
                _even_input(places),
            )


def _even_input(places: list[Place]) -> str:
    """The nearest input size that every POOL can halve."""
    size = _input_size(places)
    only_pools_shrink = all(
        place.layer.get("padding") == "same" and _sides(place.layer, "stride") == (1, 1)
        for place in _of(places, "CONV")
    )
    if size is None or not only_pools_shrink or not all(map(_halves_at, _of(places, "POOL"))):
        return "Choose an input size that is divisible by 2 once for each POOL."
    step = 2 ** len(list(_of(places, "POOL")))
    near = max(step, (size + step // 2) // step * step)
    return _with(places[0].layer, height=near, width=near)


def _halves_at(place: Place) -> bool:
    return _halves(place.layer) and not place.layer.get("padding")


def input_not_square(places: list[Place]) -> Iterator[Report]:
    for place in _of(places, "INPUT"):
        height, width = place.layer.get("height"), place.layer.get("width")
        if None not in (height, width) and height != width:
            near = min(COMMON_SIZES, key=lambda size: abs(size - max(height, width)))
            yield (
                "note",
                place,
                f"The input is {height} × {width}, not square.",
                "Square inputs are the custom (32, 64, 96, 224, 227, 299); libraries and published "
                "weights expect them.",
                _with(place.layer, height=near, width=near),
            )


def input_229(places: list[Place]) -> Iterator[Report]:
    for place in _of(places, "INPUT"):
        if 229 in (place.layer.get("height"), place.layer.get("width")):
            yield (
                "note",
                place,
                "229 is most likely a slip for 299, the input of Inception v3.",
                "The size 229 is copied from list to list; no well-known network has it.",
                _with(place.layer, height=299, width=299),
            )


def large_filter(places: list[Place]) -> Iterator[Report]:
    size = _input_size(places)
    for number, place in enumerate(_of(places, "CONV")):
        height, width = _sides(place.layer, "kernel")
        if height * width <= 25:
            continue
        if number:
            what = f"A {height} × {width} filter stands behind the first CONV."
        elif size is not None and size <= LARGE_INPUT:
            what = f"A {height} × {width} filter meets an input of {size} pixels."
        else:
            continue
        yield (
            "warning",
            place,
            what,
            "3 × 3 filters stacked see as far with fewer weights; 7 × 7 and 11 × 11 are for the first "
            f"CONV of inputs over {LARGE_INPUT} pixels.",
            _with(place.layer, kernel=3),
        )


def stride_of_conv(places: list[Place]) -> Iterator[Report]:
    size = _input_size(places)
    if size is None:
        return
    whole: list[Place] = []
    for place in _of(places, "CONV"):
        if size <= SMALL_INPUT and max(_sides(place.layer, "stride")) > 1:
            yield (
                "note",
                place,
                f"CONV strides although the input has only {size} pixels.",
                "On small inputs stride 1 keeps the detail and POOL does the downsampling, at least "
                "until you are experienced (Springenberg et al. 2014 do without POOL).",
                f"{_with(place.layer, stride=1)} => RELU => POOL",
            )
        if size > LARGE_INPUT and place.volume.height == places[0].layer.get("height"):
            whole += [place] if max(_sides(place.layer, "stride")) == 1 else []
    if len(whole) > 2:
        yield (
            "note",
            whole[0],
            f"{len(whole)} CONV work at the full {size} pixels.",
            "Early layers on large inputs cost most of the time and memory.",
            _with(whole[0].layer, stride=2, rounding="floor"),
        )


def conv_shrinks(places: list[Place]) -> Iterator[Report]:
    for place in _of(places, "CONV"):
        layer = place.layer
        for axis in (0, 1):
            kernel, stride, padding, dilation = window(layer, axis)
            total = sum(padding) if isinstance(padding, tuple) else 2 * padding
            if stride == 1 and total < shapes.effective_kernel(kernel, dilation) - 1:
                yield (
                    "note",
                    place,
                    f"{layer} makes the volume smaller.",
                    "Without padding each CONV takes F − 1 pixels away and deep stacks starve.",
                    _with(layer, padding="same"),
                )
                break


def pool_too_large(places: list[Place]) -> Iterator[Report]:
    for place in _of(places, "POOL"):
        kernel = _sides(place.layer, "kernel")
        if max(kernel) > 3 and kernel != place.volume[1:]:
            yield (
                "warning",
                place,
                f"POOL {kernel[0]} × {kernel[1]} is larger than 3 × 3.",
                "Large windows throw most of the activations away at once.",
                _with(place.layer, kernel=2, stride=2),
            )


def max_pooling(places: list[Place]) -> Iterator[Report]:
    size = _input_size(places)
    for place in _of(places, "POOL"):
        kernel, stride = max(_sides(place.layer, "kernel")), max(_sides(place.layer, "stride"))
        if place.layer.get("mode") != "max" or stride == 1:
            continue
        if stride > kernel:
            what = f"POOL's stride {stride} is larger than its window {kernel}: it skips pixels."
        elif kernel == 3 and size is not None and size <= LARGE_INPUT:
            what = f"POOL 3 × 3 for an input of {size} pixels."
        else:
            continue
        yield (
            "note",
            place,
            what,
            f"2 × 2 with stride 2 is the rule; 3 × 3 is for inputs over {LARGE_INPUT} pixels.",
            _with(place.layer, kernel=2, stride=2),
        )


# --- batch normalization, dropout, the end ------------------------------------------------------


def batch_norm_order(places: list[Place]) -> Iterator[Report]:
    follows = list(_of(places, "BN"))
    after = [p for p in follows if any(b.kind in ACTIVATIONS.split() for b in p.before)]
    first = [
        p
        for p in follows
        if p not in after and any(n.kind in ACTIVATIONS.split() for n in p.after)
        and any(b.kind in ("CONV", "FC") for b in p.before)
    ]  # fmt: skip
    if after and first:
        yield (
            "note",
            first[0],
            "BN stands before some activations and behind others.",
            "The paper puts it before, many prefer it behind; the answer depends on the network, so "
            "choose one order and spend one experiment on the other.",
            "CONV => RELU => BN throughout, or CONV => BN => RELU throughout.",
        )


def batch_norm_before_softmax(places: list[Place]) -> Iterator[Report]:
    for place in _of(places, "BN"):
        ends = all(other.kind == "SOFTMAX" for other in place.after)
        if ends and place.before and place.before[0].kind == "FC":
            yield (
                "warning",
                place,
                "BN normalizes the class scores.",
                "The softmax needs scores at their own scale; normalizing over the batch ties the scores "
                "of one image to those of the others.",
                str(place.before[0].layer),
            )


def no_batch_norm(places: list[Place]) -> Iterator[Report]:
    convs = list(_of(places, "CONV"))
    if len(convs) >= 3 and not any(_of(places, "BN")):
        yield (
            "note",
            convs[0],
            f"{len(convs)} CONV and no BN.",
            "Batch normalization steadies training over a wider range of learning rates.",
            f"{convs[0].layer} => RELU => BN",
        )


def dropout_strength(places: list[Place]) -> Iterator[Report]:
    for place in _of(places, "DO"):
        following = {other.kind for other in next_layers(place, f"{ACTIVATIONS} BN ID")}
        if following & {"CONV", "POOL"} and place.layer.get("p") > 0.25:
            yield (
                "note",
                place,
                f"Dropout of {place.layer.get('p')} among the CONV layers.",
                "There 0.10 to 0.25 is usual; neighbouring activations are alike, so dropout does less.",
                "DO(0.25)",
            )
        elif following <= {"SOFTMAX"} and place.before and place.before[0].kind == "FC":
            yield (
                "warning",
                place,
                "Dropout cuts the class scores.",
                "Dropout belongs between the FC layers, not behind the last one.",
                f"DO => {place.before[0].layer}",
            )


def no_dropout(places: list[Place]) -> Iterator[Report]:
    for place in _of(places, "FC"):
        for other in next_layers(place, f"{ACTIVATIONS} BN ID"):
            if other.kind == "FC":
                yield (
                    "note",
                    place,
                    "No dropout between FC and FC.",
                    "Dropout with p = 0.5 between FC layers reduces overfitting.",
                    f"{place.layer} => RELU => DO(0.5)",
                )


def heavy_first_fc(places: list[Place]) -> Iterator[Report]:
    for place in _of(places, "FC"):
        channels, height, width = place.volume
        units = place.layer.get("units")
        if channels is None or height is None or width is None or units is None:
            continue
        weights = channels * height * width * units
        if height * width > 1 and weights > 1_000_000 and any(_of(places, "CONV")):
            yield (
                "note",
                place,
                f"This FC alone has {weights:,} weights.",
                "Global average pooling in place of FC saves nearly all of them (GoogLeNet, ResNet, "
                "SqueezeNet).",
                "GAP => FC(classes)",
            )


#: Every rule: the id of its line in the material, and the function.
RULES: tuple[tuple[str, Callable[[list[Place]], Iterator[Report]]], ...] = (
    ("M2.2", softmax_in_the_middle),
    ("M2.4", activation_missing),
    ("M4.6", windows_do_not_tile),
    ("M5.1", activation_doubled),
    ("M6.3", pool_too_large),
    ("M8.2", conv_behind_fc),
    ("M9.8", batch_norm_order),
    ("M9.8", batch_norm_before_softmax),
    ("M10.3", dropout_strength),
    ("M11.7", softmax_without_scores),
    ("M11.8", pool_without_conv),
    ("M13.1", input_not_square),
    ("M13.2", input_229),
    ("M13.3", odd_size_into_pool),
    ("M13.4", large_filter),
    ("M13.5", stride_of_conv),
    ("M13.6", conv_shrinks),
    ("M13.7", max_pooling),
    ("M13.8", no_batch_norm),
    ("M13.9", no_dropout),
    ("M13.10", heavy_first_fc),
)
