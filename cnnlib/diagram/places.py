"""Where each layer stands in the network: what comes before and after it, and the shape that enters it.

The linter asks this of patterns that have no sizes yet, and of networks that could not be built, so
what is not known is ``None`` here and nothing is refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from cnnlib import shapes
from cnnlib.diagram.expand import expand, open_names
from cnnlib.diagram.parse import parse
from cnnlib.diagram.tree import Branches, Chain, Layer, Maybe
from cnnlib.errors import ShapeError

__all__ = ["Place", "Volume", "next_layers", "places_of", "window"]


class Volume(NamedTuple):
    """Channels, height and width, as far as they are known."""

    channels: int | None = None
    height: int | None = None
    width: int | None = None


@dataclass(eq=False)
class Place:
    """One layer of the network that a diagram stands for."""

    layer: Layer
    volume: Volume
    joined: bool
    before: list["Place"]
    after: list["Place"] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return self.layer.kind


def places_of(text: str) -> list[Place]:
    """Every layer of the network, in order; open repeats count 2, optional parts are there."""
    values = {
        name: True if isinstance(part, Maybe) else 2 for name, part in open_names(parse(text))
    }
    places: list[Place] = []
    _walk(expand(text, **values), [], Volume(), False, places)
    return places


def next_layers(place: Place, through: str, backward: bool = False) -> Iterator[Place]:
    """The nearest layers after (or before) `place` whose kind is not one of `through`."""
    seen: set[int] = set()
    waiting = list(place.before if backward else place.after)
    while waiting:
        other = waiting.pop(0)
        if id(other) in seen:
            continue
        seen.add(id(other))
        if other.kind in through.split():
            waiting.extend(other.before if backward else other.after)
        else:
            yield other


def _walk(
    chain: Chain, tails: list[Place], volume: Volume, joined: bool, places: list[Place]
) -> tuple[list[Place], Volume, bool]:
    """Add the places of `chain`; return its last places, the volume that leaves, whether they are joined."""
    for item in chain.items:
        if isinstance(item, Branches):
            ends = [_walk(arm, tails, volume, joined, places) for arm in item.arms]
            tails = [tail for end in ends for tail in end[0]]
            volumes = [end[1] for end in ends]
            volume, joined = volumes[0], True
            if item.join == "concat":
                depths = [each.channels for each in volumes]
                known = [depth for depth in depths if depth is not None]
                volume = volume._replace(channels=sum(known) if len(known) == len(depths) else None)
        else:
            assert isinstance(item, Layer)
            place = Place(item, volume, joined, tails)
            for tail in tails:
                tail.after.append(place)
            places.append(place)
            tails, volume, joined = [place], _volume_after(item, volume), False
    return tails, volume, joined


def _volume_after(layer: Layer, volume: Volume) -> Volume:
    if layer.kind == "INPUT":
        return Volume(layer.get("channels"), layer.get("height"), layer.get("width"))
    if layer.kind == "FC":
        return Volume(layer.get("units"), 1, 1)
    if layer.kind == "GAP":
        return Volume(volume.channels, 1, 1)
    if layer.kind not in ("CONV", "POOL"):
        return volume
    channels = layer.get("filters") if layer.kind == "CONV" else volume.channels
    return Volume(channels, *(_size_after(layer, axis, volume[1 + axis]) for axis in (0, 1)))


def window(layer: Layer, axis: int) -> tuple[int, int, int | tuple[int, int], int]:
    """Kernel, stride, padding and dilation of a CONV or POOL along one axis (0 height, 1 width)."""

    def along(name: str) -> int:
        value = layer.get(name)
        return value[axis] if isinstance(value, tuple) else value

    dilation = along("dilation") if layer.kind == "CONV" else 1
    padding: int | tuple[int, int]
    if layer.get("padding") == "same":
        padding = shapes.same_padding(along("kernel"), dilation=dilation)
    else:
        padding = along("padding")
    return along("kernel"), along("stride"), padding, dilation


def _size_after(layer: Layer, axis: int, size: int | None) -> int | None:
    if size is None:
        return None
    kernel, stride, padding, dilation = window(layer, axis)
    rounding = layer.get("rounding")
    try:
        return shapes.output_size(
            size,
            kernel,
            stride=stride,
            padding=padding,
            dilation=dilation,
            rounding="floor" if rounding == "strict" else rounding,
        )
    except ShapeError:
        return None
