"""The frames between the grader and a student's process: all kinds cross, and nothing else does harm."""

import contextlib
import json
import math
import socket
import struct
import threading
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cnnlib.grading.channel import Channel
from cnnlib.grading.inside import wire
from cnnlib.grading.inside.wire import Limits, OversizeError, Remote, WireError

QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
INTEGERS = st.integers(-(2**200), 2**200)
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Cf")))
DTYPES = [dtype for dtype in wire._DTYPES.values() if dtype.kind != "b"] + [np.dtype(bool)]
ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=4, min_side=0))
)
PLAIN = st.none() | st.booleans() | INTEGERS | st.floats() | st.complex_numbers() | TEXT | ARRAYS
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(TEXT | st.integers(-(2**40), 2**40), inner, max_size=4)
    ),
    max_leaves=8,
)
JSON = st.recursive(
    st.none() | st.booleans() | INTEGERS | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*"fctldasox"]) | st.text(max_size=2), inner, max_size=2)
    ),
    max_leaves=12,
)


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def _across(pair, message, buffers=()):
    ours, theirs = pair
    writer = threading.Thread(target=wire.send, args=(theirs, message, list(buffers)))
    writer.start()
    got = wire.receive(Channel(ours, time.monotonic() + 20))
    writer.join()
    return got


def _same(one, other):
    if isinstance(one, np.ndarray | np.generic):
        same = type(one) is type(other) and one.dtype == other.dtype and one.shape == other.shape
        return same and np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(map(_same, one.values(), other.values()))
    if isinstance(one, complex):
        return _same(one.real, other.real) and _same(one.imag, other.imag)
    return one == other or (one != one and other != other)


@QUICK
@given(value=VALUES)
def test_every_kind_comes_across_as_it_was(pair, value):
    tree, buffers = wire.encode(value)
    message, got = _across(pair, {"value": tree}, buffers)
    assert _same(wire.decode(message["value"], got, pytest.fail), value)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_element_type_crosses_as_array_and_as_scalar(pair, dtype):
    whole = np.arange(6).astype(dtype).reshape(2, 3)
    for value in (whole, np.ones(1, dtype)[0], np.ones((), dtype), np.ones((0, 2), dtype)):
        tree, buffers = wire.encode(value)
        message, got = _across(pair, {"value": tree}, buffers)
        back = wire.decode(message["value"], got, pytest.fail)
        assert _same(back, value)
        if isinstance(back, np.ndarray):
            assert back.flags.writeable
            assert back.flags.aligned


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6.0).reshape(2, 3).T,
        np.arange(6.0)[::2],
        np.arange(3, dtype=">i4"),
        np.ones(3)[:1],
    ],
    ids=["transposed", "strided", "big-endian", "sliced"],
)
def test_an_array_of_any_layout_comes_as_a_plain_one(value):
    back = wire.decode(*wire.encode(value), pytest.fail)
    assert np.array_equal(back, value)
    assert back.dtype.isnative
    assert back.flags.c_contiguous


def test_what_is_not_plain_becomes_a_number_and_a_name():
    kept = []

    def keep(value):
        kept.append(value)
        return Remote(len(kept) - 1, "instance", type(value).__name__)

    tree, buffers = wire.encode([object(), {1, 2}], keep)
    assert wire.decode(tree, buffers, lambda *facts: facts) == [
        (0, "instance", "object"),
        (1, "instance", "set"),
    ]
    with pytest.raises(wire.InvalidError, match="a set does not cross"):
        wire.encode({1, 2})


@pytest.mark.parametrize(
    "value", [np.array([None]), np.array(["a"]), np.array(["2020"], "M8[D]"), np.zeros(2, "i4,f4")]
)
def test_of_an_array_of_other_elements_only_the_type_is_told(value):
    tree, buffers = wire.encode(value)
    assert buffers == []
    assert wire.decode(tree, buffers, lambda *facts: facts) == (
        -1,
        "strange",
        f"array of {value.dtype}",
    )


def test_other_bytes_than_0_and_1_are_no_truth_values():
    back = wire.decode({"a": ["|b1", [3], 0]}, [b"\x00\x01\xff"], pytest.fail)
    assert back.view(np.uint8).tolist() == [0, 1, 1]


def _list_in(depth):
    value = 0
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [_list_in(20), list(range(Limits.entries + 1)), 1 << Limits.bits, -(1 << Limits.bits)],
    ids=["deep", "many", "long", "long and negative"],
)
def test_more_than_the_caps_is_refused_on_both_sides(value):
    with pytest.raises(OversizeError):
        wire.encode(value)

    def forged(value):
        return {"l": [forged(one) for one in value]} if isinstance(value, list) else value

    with pytest.raises(OversizeError):
        wire.decode(forged(value), [], pytest.fail)


@pytest.mark.parametrize(
    ("tree", "kind"),
    [
        ({"l": [{"a": ["|u1", [4], 0]}] * 2}, wire.InvalidError),
        ({"l": [{"o": [0, "class", "A"]}] * (Limits.objects + 1)}, OversizeError),
        ("x" * (Limits.text + 1), OversizeError),
        ({"d": [[2**61 - 1, 0]]}, wire.InvalidError),
        ({"a": ["|O8", [1], 0]}, wire.InvalidError),
        ({"a": ["|u1", [-4], 0]}, wire.InvalidError),
        ({"a": ["|u1", [True, 4], 0]}, wire.InvalidError),
        ({"a": ["|u1", [4], -1]}, wire.InvalidError),
        ({"a": ["|u1", [0, 2**62], 0]}, wire.InvalidError),
        ({"s": ["|u1", [4], 0]}, wire.InvalidError),
        ({"c": ["1", "2"]}, wire.InvalidError),
        ({"f": "1e5"}, wire.InvalidError),
        ([], wire.InvalidError),
        ({}, wire.InvalidError),
        ({"a": 0, "s": 0}, wire.InvalidError),
    ],
)
def test_a_forged_value_is_refused(tree, kind):
    with pytest.raises(kind):
        wire.decode(tree, [b"\0" * 4], lambda *_: None)


@settings(max_examples=300, deadline=None)
@given(tree=JSON, content=st.lists(st.binary(max_size=16), max_size=2))
def test_no_tree_raises_anything_but_a_wire_error(tree, content):
    with contextlib.suppress(WireError):  # and nothing else
        wire.decode(tree, content, lambda *facts: facts)


def _received(pair, content):
    ours, theirs = pair
    theirs.sendall(content)
    theirs.shutdown(socket.SHUT_WR)
    return wire.receive(Channel(ours, time.monotonic() + 20))


@settings(max_examples=200, deadline=None)
@given(
    lengths=st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)) | st.none(),
    header=st.binary(max_size=64) | JSON.map(lambda tree: json.dumps(tree).encode()),
    content=st.binary(max_size=16),
    cut=st.integers(0, 100),
)
def test_no_frame_raises_anything_but_what_is_promised(lengths, header, content, cut):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        head = struct.pack(">IQ", *(lengths or (len(header), len(content))))
        try:
            message, _ = _received((ours, theirs), (head + header + content)[:cut])
        except (WireError, EOFError, TimeoutError):
            return
        assert isinstance(message, dict)


@pytest.mark.parametrize(
    "header",
    [
        b"[" * 1_000_000,
        b"9" * 1_000_000,
        b"\xff\xfe\x80",
        b"[]",
        b"8",
        b"{}",
        b'{"sizes": "ab"}',
        b'{"sizes": {}}',
        b'{"sizes": [NaN]}',
        b'{"sizes": [-1, 1]}',
        b'{"sizes": [true]}',
        b'{"sizes": [1]}',
        b"\x80\x04\x8c\x05posix\x8c\x06system\x93",
    ],
    ids=lambda header: header[:16].decode(errors="replace"),
)
def test_a_forged_header_is_refused(header):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender = threading.Thread(
            target=theirs.sendall, args=(struct.pack(">IQ", len(header), 0) + header,)
        )
        sender.start()
        with pytest.raises(WireError):
            wire.receive(Channel(ours, time.monotonic() + 20))
        sender.join()


@pytest.mark.parametrize("lengths", [(2**32 - 1, 0), (2, 2**64 - 1), (2, Limits.bytes + 1)])
def test_lengths_beyond_the_caps_are_refused_before_anything_is_read(pair, lengths):
    with pytest.raises(OversizeError, match=f"a frame of {lengths[0]} and {lengths[1]} bytes"):
        _received(pair, struct.pack(">IQ", *lengths))


def test_half_a_frame_ends_with_the_deadline_and_a_closed_one_at_once(pair):
    ours, theirs = pair
    theirs.sendall(struct.pack(">IQ", 100, 0) + b"{")
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        wire.receive(Channel(ours, start + 0.2))
    assert time.monotonic() - start < 1.2
    theirs.close()
    with pytest.raises(EOFError):
        wire.receive(Channel(ours, time.monotonic() + 5))


def test_drops_do_not_prolong_the_deadline(pair):
    ours, theirs = pair
    theirs.sendall(struct.pack(">IQ", 10_000, 0))
    done = threading.Event()

    def drip():
        while not done.wait(0.02):
            theirs.sendall(b" ")

    writer = threading.Thread(target=drip)
    writer.start()
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        wire.receive(Channel(ours, start + 0.3))
    assert time.monotonic() - start < 1.3
    done.set()
    writer.join()


def test_bytes_out_of_band_do_not_prolong_the_deadline(pair):
    ours, theirs = pair
    theirs.send(b"x", socket.MSG_OOB)
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        wire.receive(Channel(ours, start + 0.3))
    assert time.monotonic() - start < 1.3


def test_who_does_not_read_does_not_prolong_the_deadline(pair):
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        wire.send(Channel(pair[0], start + 0.3), {}, [bytes(64 << 20)])
    assert 0.3 <= time.monotonic() - start < 1.3


def test_a_frame_larger_than_the_sockets_own_room_is_sent_whole(pair):
    ours, theirs = pair
    content = np.random.default_rng(0).bytes(3 << 20)
    writer = threading.Thread(
        target=wire.send, args=(Channel(ours, time.monotonic() + 20), {"n": 1}, [content])
    )
    writer.start()
    message, (got,) = wire.receive(theirs)
    writer.join()
    assert (message, bytes(got)) == ({"n": 1}, content)


@pytest.mark.parametrize("extra", [b" ", b"\n", b"8", b'{"sizes": []}'])
def test_a_header_holds_one_object_and_nothing_else(extra):
    for header in (b'{"sizes": []}' + extra, extra + b'{"sizes": []}'):
        ours, theirs = socket.socketpair()
        with ours, theirs, pytest.raises(WireError, match="a header that is"):
            _received((ours, theirs), struct.pack(">IQ", len(header), 0) + header)


def test_a_frame_that_is_too_large_is_not_sent(pair):
    with pytest.raises(OversizeError, match="the frame is too large"):
        wire.send(pair[1], {}, [bytes(1)] * (Limits.arrays + 1))
    with pytest.raises(OversizeError, match="the frame is too large"):
        wire.send(pair[1], {"text": "x" * Limits.header})


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("two\tlines\r\n", "two\tlines\r\n"),
        ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        ("\x1b[2J\x1b]0;title\x07", "\ufffd[2J\ufffd]0;title\ufffd"),
        ("a\ud800b\x00c\x7f\x9b", "a\ufffdb\ufffdc\ufffd\ufffd"),
        ("\u202eabc", "\ufffdabc"),
        ("größer 😀", "größer 😀"),
        (8, ""),
        (["x"], ""),
        (None, ""),
    ],
)
def test_a_text_is_what_can_be_stored_and_shown(text, plain):
    assert wire.plain_text(text, 100) == plain
    wire.plain_text(text, 100).encode()


def test_numbers_that_are_none_cross():
    for value in (math.nan, math.inf, -math.inf, complex(math.nan, -math.inf)):
        assert _same(wire.decode(*wire.encode(value), pytest.fail), value)
