"""What a diagram costs and sees, layer by layer, without running it.

One image goes in. The columns:

**params**
    Learned numbers: weights and biases of CONV and FC, γ and β of BN. Running statistics are kept, not
    learned, and are not counted.
**MACs**
    Multiply-accumulates of CONV and FC: outputs × weights that each output is a sum over.
**FLOPs**
    2 for each MAC, which includes the bias (it takes the place of the first addition); for every
    output of RELU, LRELU, ELU, ACT 1, of BN 2 (at test time it is one scale and one shift), of SOFTMAX 3
    (exponential, sum, division); of POOL one less than its window has taps, and one more for the
    division of an average; of GAP as many as the plane has pixels; of an addition of n branches n − 1.
    DO does nothing at test time.
**forward memory**
    Bytes of activations that must exist while the layer runs: its input, its output, and what waits for
    the end of a branch. The total is the largest of them. Every layer writes a new array.
**training memory**
    Bytes of activations kept for the backward pass up to and including this layer: the input and all
    outputs. Weights, gradients and the optimizer's state come on top.
**field, jump, start**
    The theoretical receptive field in the input of one position of the output (part of it may lie in
    the padding), the distance of neighbouring fields, and the centre of the first one, 0 being the
    middle of the first pixel. Where branches meet, those of the arm that sees most.
"""

import html
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from cnnlib import shapes
from cnnlib.diagram.plan import Plan, Shape, Split, Step, plan
from cnnlib.diagram.tree import Chain

__all__ = ["Row", "Summary", "Totals", "summarize"]

BYTES = 4  # of a float32

ELEMENTWISE_FLOPS = {"RELU": 1, "LRELU": 1, "ELU": 1, "ACT": 1, "BN": 2, "SOFTMAX": 3, "DO": 0}

Fields = tuple[shapes.ReceptiveField, shapes.ReceptiveField]


@dataclass(frozen=True)
class Row:
    """One line of a :class:`Summary`; the columns are explained in :mod:`cnnlib.diagram.summary`.

    Attributes
    ----------
    name, text, depth : str, str, int
        ``conv1``, the layer as written, and in how many branches it stands.
    shape : (C, H, W) or (D,)
        Of the output, without the batch axis.
    params, macs, flops : int
    output_bytes, forward_bytes, training_bytes : int
    field, jump, start : (height, width), or None
        None once the layers have no height and width any more.
    unseen : (int, int)
        Rows at the bottom and columns at the right that no window reads.
    params_so_far, macs_so_far, flops_so_far : int
        Running totals.
    """

    name: str
    text: str
    depth: int
    shape: Shape
    params: int
    macs: int
    flops: int
    output_bytes: int
    forward_bytes: int
    training_bytes: int
    field: tuple[int, int] | None
    jump: tuple[int, int] | None
    start: tuple[float, float] | None
    unseen: tuple[int, int]
    params_so_far: int
    macs_so_far: int
    flops_so_far: int


@dataclass(frozen=True)
class Totals:
    """The last line of a :class:`Summary`."""

    params: int
    macs: int
    flops: int
    forward_bytes: int
    training_bytes: int


@dataclass(frozen=True)
class Summary:
    """A table of what each layer does to size, cost and view; print it, or show it in a notebook.

    Attributes
    ----------
    input_shape, output_shape : (C, H, W) or (D,)
    rows : tuple of Row
        One for each layer and each place where branches meet, in the order in which they run.
    totals : Totals
    """

    input_shape: Shape
    output_shape: Shape
    rows: tuple[Row, ...]
    totals: Totals

    def as_dicts(self) -> list[dict[str, Any]]:
        """The rows as dictionaries, for instance for ``pandas.DataFrame``."""
        return [asdict(row) for row in self.rows]

    def __str__(self) -> str:
        table = [HEADERS, *(_cells(row) for row in self.rows), _total_cells(self)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ["  ".join(_aligned(cells, widths)).rstrip() for cells in table]
        rule = "─" * max(map(len, lines))
        notes = [f"Input {_size(self.input_shape)}. {NOTE}", *_unseen_notes(self.rows)]
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1], "", *notes])

    def _repr_html_(self) -> str:
        def line(cells: tuple[str, ...], tag: str) -> str:
            styles = ("left" if i in LEFT else "right" for i in range(len(cells)))
            return "".join(
                f'<{tag if cell else "td"} style="text-align:{style};white-space:pre;padding:2px 8px">'
                f"{html.escape(cell)}</{tag if cell else 'td'}>"
                for cell, style in zip(cells, styles, strict=True)
            )

        body = "".join(f"<tr>{line(_cells(row), 'td')}</tr>" for row in self.rows)
        notes = [f"Input {_size(self.input_shape)}. {NOTE}", *_unseen_notes(self.rows)]
        return (
            f"<table><thead><tr>{line(HEADERS, 'th')}</tr></thead><tbody>{body}</tbody>"
            f"<tfoot><tr>{line(_total_cells(self), 'th')}</tr></tfoot></table>"
            + "".join(f"<p>{html.escape(note)}</p>" for note in notes)
        )


def summarize(diagram: str | Chain, input_shape: tuple[int, ...] | None = None) -> Summary:
    """Work out size, cost, memory and receptive field of every layer of a diagram.

    Parameters
    ----------
    diagram : str or Chain
        A text, or a tree from :func:`cnnlib.diagram.parse` or :func:`cnnlib.diagram.expand`.
    input_shape : (C, H, W) or (D,), optional
        One image, without the batch axis. It takes precedence over what INPUT says.

    Returns
    -------
    Summary

    Raises
    ------
    DiagramError
        At the layer whose size is missing (``CONV`` without filters) or does not fit (windows that do
        not tile, branches of different sizes, FC before CONV).

    Examples
    --------
    >>> summary = summarize("INPUT(3, 32, 32) => CONV(16) => RELU => POOL => FC(10)")
    >>> summary.totals.params, summary.rows[2].shape, summary.rows[2].field
    (41418, (16, 16, 16), (4, 4))
    """
    settled = plan(diagram, input_shape)
    walk = _Walk(settled)
    walk.chain(settled.steps, (shapes.ReceptiveField(), shapes.ReceptiveField()))
    totals = Totals(
        walk.params,
        walk.macs,
        walk.flops,
        max((row.forward_bytes for row in walk.rows), default=walk.kept),
        walk.kept,
    )
    return Summary(settled.in_shape, settled.out_shape, tuple(walk.rows), totals)


# --- one layer --------------------------------------------------------------------------------------


def macs_of(step: Step) -> int:
    """Outputs × weights that each output is a sum over; 0 for layers without weights to multiply."""
    if "weight" not in step.arrays:
        return 0
    return math.prod(step.out_shape) * math.prod(step.arrays["weight"][1:])


def flops_of(step: Step) -> int:
    """Floating-point operations as this module counts them."""
    outputs = math.prod(step.out_shape)
    if step.kind == "POOL":
        assert step.window is not None
        taps = math.prod(step.window.kernel)
        return outputs * (taps if step.layer.get("mode") == "avg" else taps - 1)
    if step.kind == "GAP":
        return math.prod(step.in_shape)
    return 2 * macs_of(step) + outputs * ELEMENTWISE_FLOPS.get(step.kind, 0)


def _fields_after(step: Step, fields: Fields) -> Fields:
    """The fields after one layer; FC and GAP see as far as the outermost of the positions they read."""
    if step.window is not None:
        window = step.window
        height, width = (
            fields[i].through(
                window.kernel[i], window.stride[i], window.padding[i], window.dilation[i]
            )
            for i in (0, 1)
        )
        return height, width
    if step.kind in ("FC", "GAP") and len(step.in_shape) == 3:
        _, H, W = step.in_shape
        return fields[0].through(H), fields[1].through(W)
    return fields


def _unseen(step: Step) -> tuple[int, int]:
    window = step.window
    if window is None or window.rounding != "floor":
        return 0, 0
    height, width = (
        shapes.unseen(
            step.in_shape[i + 1],
            window.kernel[i],
            window.stride[i],
            window.padding[i],
            dilation=window.dilation[i],
        )
        for i in (0, 1)
    )
    return height, width


# --- all layers -------------------------------------------------------------------------------------


class _Walk:
    """Follows the plan in the order in which it runs and adds up."""

    def __init__(self, settled: Plan) -> None:
        self.rows: list[Row] = []
        self.params = self.macs = self.flops = 0
        self.kept = _bytes(settled.in_shape)

    def chain(
        self,
        steps: tuple[Step | Split, ...],
        fields: Fields,
        depth: int = 0,
        waiting: int = 0,
        stays: bool = False,
    ) -> Fields:
        """Add rows for `steps`.

        `waiting` bytes are needed later; if the first input `stays`, it is needed later too.
        """
        for number, step in enumerate(steps):
            if number == 1 and stays:
                waiting += _bytes(steps[0].in_shape)
            if isinstance(step, Split):
                fields = self.split(step, fields, depth, waiting, stays and number == 0)
                continue
            fields = _fields_after(step, fields)
            live = waiting + _bytes(step.in_shape) + _bytes(step.out_shape)
            params = sum(math.prod(shape) for shape in step.arrays.values())
            costs = params, macs_of(step), flops_of(step)
            self.row(step, str(step.layer), depth, costs, live, fields, _unseen(step))
        return fields

    def split(self, split: Split, fields: Fields, depth: int, waiting: int, stays: bool) -> Fields:
        """Arms run one after the other; the input stays until the last arm that needs it has begun."""
        ends, done = [], 0
        for number, arm in enumerate(split.arms):
            later = number < len(split.arms) - 1 or not all(split.arms)
            ends.append(self.chain(arm, fields, depth + 1, waiting + done, stays or later))
            done += _bytes(arm[-1].out_shape) if arm else 0
        input_too = stays or not all(split.arms)  # an arm without layers hands on the input itself
        live = waiting + done + _bytes(split.in_shape) * input_too + _bytes(split.out_shape)
        adds = (len(split.arms) - 1) * math.prod(split.out_shape) if split.join == "add" else 0
        text = {"add": "add the branches", "concat": "concatenate along depth"}[split.join]
        widest = (
            max((end[0] for end in ends), key=lambda field: field.size),
            max((end[1] for end in ends), key=lambda field: field.size),
        )
        self.row(split, text, depth, (0, 0, adds), live, widest, (0, 0))
        return widest

    def row(
        self,
        step: Step | Split,
        text: str,
        depth: int,
        costs: tuple[int, int, int],
        live: int,
        fields: Fields,
        unseen: tuple[int, int],
    ) -> None:
        params, macs, flops = costs
        self.params += params
        self.macs += macs
        self.flops += flops
        self.kept += _bytes(step.out_shape)
        volume = len(step.out_shape) == 3
        height, width = fields
        self.rows.append(
            Row(
                step.name,
                text,
                depth,
                step.out_shape,
                *costs,
                _bytes(step.out_shape),
                live,
                self.kept,
                (height.size, width.size) if volume else None,
                (height.jump, width.jump) if volume else None,
                (height.start, width.start) if volume else None,
                unseen,
                self.params,
                self.macs,
                self.flops,
            )
        )


def _bytes(shape: Shape) -> int:
    return BYTES * math.prod(shape)


# --- the table --------------------------------------------------------------------------------------

HEADERS = (
    *("layer", "", "output", "params", "MACs", "FLOPs", "forward", "training"),
    *("field", "jump", "start", "params so far"),
)
LEFT = (0, 1)
NOTE = (
    "One image; shapes are channels × height × width. 1 MAC = 2 FLOPs. Forward: float32 activations "
    "that exist while the layer runs; training: those kept for the backward pass up to here."
)


def _cells(row: Row) -> tuple[str, ...]:
    mark = " !" if any(row.unseen) else ""
    return (
        row.name,
        "│ " * row.depth + row.text + mark,
        _size(row.shape),
        _count(row.params),
        _count(row.macs),
        _count(row.flops),
        _memory(row.forward_bytes),
        _memory(row.training_bytes),
        _both(row.field),
        _both(row.jump),
        _both(row.start),
        f"{row.params_so_far:,}",
    )


def _total_cells(summary: Summary) -> tuple[str, ...]:
    totals = summary.totals
    return (
        *("total", "", _size(summary.output_shape)),
        *(f"{n:,}" for n in (totals.params, totals.macs, totals.flops)),
        _memory(totals.forward_bytes),
        _memory(totals.training_bytes),
        *("", "", "", f"{totals.params:,}"),
    )


def _unseen_notes(rows: tuple[Row, ...]) -> Iterator[str]:
    for row in rows:
        parts = [
            f"the last {count} {name}{'s' if count > 1 else ''}"
            for count, name in zip(row.unseen, ("row", "column"), strict=True)
            if count
        ]
        if parts:
            yield f"! {row.name}: no window reads {' and '.join(parts)} of its input."


def _aligned(cells: tuple[str, ...], widths: list[int]) -> list[str]:
    return [
        cell.ljust(width) if i in LEFT else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]


def _size(shape: Shape) -> str:
    return "×".join(map(str, shape))


def _count(number: int) -> str:
    return f"{number:,}" if number else ""


def _memory(count: int) -> str:
    if count < 2**10:
        return f"{count} B"
    return f"{count / 2**10:,.1f} KiB" if count < 2**20 else f"{count / 2**20:,.2f} MiB"


def _both(value: tuple[float, float] | None) -> str:
    if value is None:
        return ""
    height, width = (f"{number:g}" for number in value)
    return height if height == width else f"{height}×{width}"
