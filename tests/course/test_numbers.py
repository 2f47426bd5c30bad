"""The check of numbers in the prose: what it accounts for, and what it refuses."""

import course_numbers as numbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

whole = st.integers(0, 10**6)


@given(whole, whole)
def test_a_true_sum_is_true_in_prose_and_in_a_formula(a, b):
    for text in (
        f"so {a:,} + {b:,} = {a + b:,} pixels.",
        rf"{a} + {b} = {a + b}",
        f"It is {a + b} = {b} + {a}.",
    ):
        assert [equal for *_, equal in numbers.equations(text)] == [True], text


@given(whole, whole, st.integers(1, 9))
def test_a_false_sum_is_found(a, b, off):
    text = f"so {a:,} + {b:,} = {a + b + off:,} pixels."
    assert [equal for *_, equal in numbers.equations(text)] == [False], text


@pytest.mark.parametrize(
    "text",
    [
        r"\frac{7 - 3}{2} + 1 = 3",
        r"242 + 39 - 4 \cdot 95 = -99",
        "384 / 32 = 12, and a window of 7 has 12 − 7 + 1 = 6 places",
        "2/3 = 0.67",
        "10 · 10 · 10 = 1,000",
        r"2^{5} \cdot 7 = 224",
        "4 × 4 × 32 = 512 inputs",
        "(1/4)³ = 1/64",
        "30 % = 0.3",
    ],
)
def test_equations_that_hold(text):
    found = list(numbers.equations(text))
    assert found
    assert all(equal for *_, equal in found), found


@pytest.mark.parametrize(
    "text", ["7 − 3 = 5", r"\frac{8}{2} = 3", "2/3 = 0.66", "9 ≈ 12", "5 · 5 = 24."]
)
def test_equations_that_do_not(text):
    assert [equal for *_, equal in numbers.equations(text)] == [False]


@pytest.mark.parametrize(
    "text", ["F − 1 = 2", "W = 224", "at F = 3, S = 2", "x = y", "stride=2", r"P = \frac{F - 1}{2}"]
)
def test_what_is_no_arithmetic_is_left_alone(text):
    assert list(numbers.equations(text)) == []


def test_numerals_of_names_are_not_numbers():
    assert numbers.numbers("VGG-16, ResNet50, float32, CIFAR-10, M4.5 and conv2d") == set()
    assert numbers.numbers("61,100,840 of 0.25 and 138 million") == {61100840, 0.25, 138, 138e6}
    assert 1e-5 in numbers.numbers("ε is 1e-5")
    assert numbers.numbers("(64, 3, 11, 11) at 2-D") == {64, 3, 11, 2}


@pytest.mark.parametrize(
    ("text", "rest", "known", "expected"),
    [
        ("512", "", {512.0}, True),
        ("513", "", {512.0}, False),
        ("138", " million", {138357544.0}, True),
        ("139", " million", {138357544.0}, False),
        ("75", " %", {0.75}, True),
        ("74", " %", {0.75}, False),
        ("1.41", "", {2**0.5}, True),
        ("1.42", "", {2**0.5}, False),
        ("61,100,840", "", {61100840.0}, True),
    ],
)
def test_a_number_is_known_as_it_is_rounded_or_in_percent(text, rest, known, expected):
    assert numbers.is_known(text, rest, known) is expected


def test_numbers_typed_into_a_caption_do_not_account_for_themselves():
    source = 'show(plot(7), alt=f"{size} windows of 12", caption="pixel 99")'
    assert numbers.in_code(source) == {7}
    assert numbers.typed(source) == {12, 99}
    assert numbers.in_code('parse("INPUT(3, 224, 224) => CONV(64)")') == {3, 224, 64}


def test_values_are_written_as_prose_writes_them():
    assert numbers.written(numbers.compute("shapes.conv_params(3, 96, 11)")) == "34,944"
    assert numbers.written(-0.5) == "−0.5"
    assert numbers.written(1 / 3, ".2f") == "0.33"
    with pytest.raises(NameError):
        numbers.compute("open('x')")
