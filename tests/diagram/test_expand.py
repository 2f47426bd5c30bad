"""Patterns written out."""

import pytest

from cnnlib.diagram.expand import expand
from cnnlib.diagram.parse import parse
from cnnlib.errors import CnnlibError, DiagramError, RangeError

PATTERN = "INPUT => [[CONV => RELU]*N => POOL?]*M => [FC => RELU]*K => FC"


@pytest.mark.claim("M11.1", "M11.2", "M11.4")
@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"N": 0, "M": 0, "K": 0, "pool": True}, "INPUT => FC"),
        ({"N": 1, "M": 1, "K": 0, "pool": False}, "INPUT => CONV => RELU => FC"),
        ({"N": 0, "M": 2, "K": 0, "pool": True}, "INPUT => POOL => POOL => FC"),
        (
            {"N": 2, "M": 2, "K": 1, "pool": True},
            "INPUT => CONV => RELU => CONV => RELU => POOL => CONV => RELU => CONV => RELU => POOL"
            " => FC => RELU => FC",
        ),
    ],
)
def test_the_common_pattern(values, text):
    assert str(expand(PATTERN, **values)) == text
    assert expand(parse(PATTERN), **values) == parse(text)


def test_numbers_need_no_values_and_the_place_in_the_text_stays():
    chain = expand("INPUT => [CONV => RELU] * 2 => FC")
    assert [layer.kind for layer in chain.items] == ["INPUT", "CONV", "RELU", "CONV", "RELU", "FC"]
    assert [layer.at for layer in chain.items] == [0, 10, 18, 10, 18, 31]


def test_an_empty_branch_is_the_identity():
    assert str(expand("{ [CONV => RELU] * N + ID }", N=0)) == "{ ID + ID }"
    assert str(expand("{ [CONV]*2 | [POOL]? }", pool=True)) == "{ CONV => CONV | POOL }"


def test_a_missing_value_is_asked_for_where_it_is_used():
    with pytest.raises(DiagramError) as caught:
        expand(PATTERN, N=1, M=1, pool=True)
    assert str(caught.value) == (
        "line 1, column 44: K has no value: how often is [FC => RELU] * K?\n"
        f"  {PATTERN}\n"
        f"  {' ' * 43}^\n"
        "Give it a number, such as K=2; 0 leaves the part out."
    )
    with pytest.raises(DiagramError, match=r"Whether POOL\? is there is open\."):
        expand(PATTERN, N=1, M=1, K=1)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"N": -1}, RangeError, "N=-1 is not a number of repeats: * means zero or more times, so use a whole number of at least 0."),
        ({"N": 1.5}, RangeError, "N=1.5 is not a number of repeats: * means zero or more times, so use a whole number of at least 0."),
        ({"N": True}, RangeError, "N=True is not a number of repeats: * means zero or more times, so use a whole number of at least 0."),
        ({"pool": 1}, RangeError, "pool=1 decides whether POOL? is there: use True or False."),
        ({"Q": 1}, CnnlibError, "Q=1 is for nothing in the diagram: its open names are M, N, pool, K."),
    ],
)  # fmt: skip
def test_values_out_of_range(values, error, message):
    with pytest.raises(error) as caught:
        expand(PATTERN, **{**{"N": 1, "M": 1, "K": 1, "pool": True}, **values})
    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["[CONV] * 0", "[[CONV] * 0] * 1000000000"])
def test_nothing_left(text):
    with pytest.raises(DiagramError, match=r"No layer is left\."):
        expand(text)


def test_endless_networks_are_refused_before_they_are_built():
    assert len(expand("[[CONV] * 100] * 100").items) == 10_000
    with pytest.raises(DiagramError, match="more than 10,000 layers"):
        expand("[[[CONV] * 1000000000] * 1000000000] * 1000000000")
