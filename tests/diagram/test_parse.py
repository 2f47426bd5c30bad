"""Texts and trees: everything the material writes parses, and what is no diagram is explained."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlib.diagram.parse import parse
from cnnlib.diagram.tree import SIGNATURES, Branches, Chain, Layer, Maybe, Repeat, layers_of
from cnnlib.errors import CnnlibError, DiagramError
from tests.diagram.trees import TREES

MATERIAL = [
    pytest.param("INPUT => CONV => RELU => FC => SOFTMAX", marks=pytest.mark.claim("M2.2")),
    pytest.param("INPUT => CONV => RELU => FC", marks=pytest.mark.claim("M2.2", "M5.2", "M11.4")),
    pytest.param(
        "INPUT => CONV => RELU => POOL => CONV => RELU => POOL => FC",
        marks=pytest.mark.claim("M6.1"),
    ),
    pytest.param(
        "INPUT => CONV => RELU => POOL => CONV => RELU => POOL => FC => FC",
        marks=pytest.mark.claim("M8.1"),
    ),
    pytest.param("INPUT => CONV => RELU => BN", marks=pytest.mark.claim("M9.8")),
    pytest.param(
        "CONV => RELU => POOL => FC => DO => FC => DO => FC", marks=pytest.mark.claim("M10.3")
    ),
    pytest.param(
        "INPUT => [[CONV => RELU]*N => POOL?]*M => [FC => RELU]*K => FC",
        marks=pytest.mark.claim("M11.1"),
    ),
    pytest.param("INPUT => FC", marks=pytest.mark.claim("M11.3", "M11.4")),
    pytest.param(
        "INPUT => [CONV => RELU => POOL] * 2 => FC => RELU => FC", marks=pytest.mark.claim("M11.3")
    ),
    pytest.param(
        "INPUT => [CONV => RELU => CONV => RELU => POOL] * 3 => [FC => RELU] * 2 => FC",
        marks=pytest.mark.claim("M11.3"),
    ),
    pytest.param(
        "INPUT => [CONV => RELU => POOL] * 2 => [CONV => RELU] * 3 => POOL => [FC => RELU => DO] * 2 => SOFTMAX",
        marks=pytest.mark.claim("M11.5"),
    ),
    pytest.param(
        "INPUT => [CONV => RELU] * 2 => POOL => [CONV => RELU] * 2 => POOL => [CONV => RELU] * 3 => POOL"
        " => [CONV => RELU] * 3 => POOL => [FC => RELU => DO] * 2 => SOFTMAX",
        marks=pytest.mark.claim("M11.6"),
    ),
    pytest.param("INPUT => CONV => RELU => BN => FC", marks=pytest.mark.claim("M11.9")),
    pytest.param(
        "INPUT => [CONV => RELU => BN => POOL] * 2 => FC => RELU => BN => FC",
        marks=pytest.mark.claim("M11.9"),
    ),
    pytest.param(
        "INPUT => [CONV => RELU => BN => CONV => RELU => BN => POOL] * 3 => [FC => RELU => BN] * 2 => FC",
        marks=pytest.mark.claim("M11.9"),
    ),
]


@pytest.mark.parametrize("text", MATERIAL)
def test_everything_in_the_material_parses(text):
    tree = parse(text)
    assert str(tree) == text.replace("]*", "] * ")
    for layer in layers_of(tree):
        assert text[layer.at :].startswith(layer.kind)


def conv(**settings):
    return Chain((Layer("CONV", tuple(settings.items())),))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("CONV(32)", conv(filters=32)),
        ("CONV(32, 3)", conv(filters=32, kernel=3)),
        ("CONV(32, 3x3)", conv(filters=32, kernel=3)),
        ("CONV(32, 3×3)", conv(filters=32, kernel=3)),
        ("CONV(32, 3 × 3)", conv(filters=32, kernel=3)),
        ("CONV(32, 5x1)", conv(filters=32, kernel=(5, 1))),
        ("CONV(kernel=5 x 1, filters = 32)", conv(filters=32, kernel=(5, 1))),
        ("CONV(32, padding=same, bias=False)", conv(filters=32, padding="same", bias=False)),
        ("CONV(32, padding=0)", conv(filters=32, padding=0)),
        ("CONV()", conv()),
        ("BN(eps=1e-3)", Chain((Layer("BN", (("eps", 0.001),)),))),
        ("DO(.25)", Chain((Layer("DO", (("p", 0.25),)),))),
        ("ELU(1)", Chain((Layer("ELU", (("alpha", 1.0),)),))),
        ("[RELU]", Chain((Layer("RELU"),))),
        ("RELU * 2", Chain((Repeat(Chain((Layer("RELU"),)), 2),))),
        ("[RELU] × 0", Chain((Repeat(Chain((Layer("RELU"),)), 0),))),
        ("[BN => RELU]?", Chain((Maybe(Chain((Layer("BN"), Layer("RELU"))), "bn"),))),
        (
            "{ID|RELU}",
            Chain((Branches("concat", (Chain((Layer("ID"),)), Chain((Layer("RELU"),)))),)),
        ),
        ("{ID+RELU}", Chain((Branches("add", (Chain((Layer("ID"),)), Chain((Layer("RELU"),)))),))),
        (
            "# a network\nINPUT(3, 32, 32)  # CIFAR\n\t→ GAP",
            Chain(
                (
                    Layer("INPUT", (("channels", 3), ("height", 32), ("width", 32))),
                    Layer("GAP"),
                )
            ),
        ),
    ],
)
def test_ways_to_write(text, tree):
    assert parse(text) == tree
    assert parse(str(tree)) == tree


def test_values_are_written_or_default():
    (layer,) = layers_of(parse("CONV(16, stride=2)"))
    assert layer.settings == (("filters", 16), ("stride", 2))
    assert [layer.get(name) for name in ("filters", "kernel", "stride", "padding", "rounding")] == [
        16,
        3,
        2,
        "same",
        "strict",
    ]
    (pool,) = layers_of(parse("POOL"))
    assert [pool.get(name) for name in ("kernel", "stride", "mode")] == [2, 2, "max"]


# --- random trees -------------------------------------------------------------------------------


@given(TREES)
def test_the_canonical_text_parses_to_the_same_tree(tree):
    assert parse(str(tree)) == tree
    assert str(parse(str(tree))) == str(tree)


@given(TREES, st.randoms(use_true_random=False))
def test_spaces_comments_and_arrows_change_nothing(tree, rng):
    text = str(tree)
    for sign in ("=>", ",", "(", "]"):
        text = text.replace(
            sign, rng.choice(["", " ", "\n"]) + sign + rng.choice(["", " ", "  # so\n"])
        )
    assert parse(text.replace("=>", rng.choice(["=>", "→"]))) == tree


# --- errors -------------------------------------------------------------------------------------

M11_10 = (
    "INPUT => [CONV => RELU => BN => CONV => RELU => BN => POOL] * 3 => [FC RELU => BN] * 2 => FC"
)

MISTAKES = [
    ("INPUT => CNOV => RELU", 10, "CNOV is not a layer.", "Did you mean CONV?"),
    ("conv", 1, "conv is not a layer.", "Did you mean CONV?"),
    ("Dense(3)", 1, "Dense is not a layer.", "Did you mean FC?"),
    ("CNOV FC", 1, "CNOV is not a layer.", "Did you mean CONV?"),
    ("XYZZY", 1, "XYZZY is not a layer.", "The layers are INPUT, CONV, RELU, LRELU, ELU, ACT, POOL, GAP, FC, BN, DO, SOFTMAX, ID."),
    ("CONV(32) RELU", 10, "The arrow before RELU is missing.", "Write => RELU."),
    ("INPUT -> CONV", 7, "'-' is not an arrow.", "Write => or → between two layers."),
    ("INPUT = CONV", 7, "= is not an arrow.", "Write => or → between two layers."),
    ("CONV ; FC", 6, "';' has no meaning in a diagram.", "A diagram has layers, =>, [ ] * ?, { | + }, settings in ( ) and comments after #."),
    ("INPUT => [CONV => RELU * 2 => FC", 10, "This [ is never closed.", "Write ] where the group ends."),
    ("{ CONV | [ POOL }", 10, "This [ is never closed.", "Write ] where the group ends."),
    ("{ CONV | POOL", 1, "This { is never closed.", "Write } where the branches end."),
    ("CONV(32 => RELU", 5, "This ( is never closed.", "Write ) where the settings end."),
    ("CONV] * 2", 5, "] closes nothing.", "Write [ where the part begins, or leave ] out."),
    ("[CONV => RELU] * -1", 18, "-1 is not a number of repeats: * means zero or more times.", "Write 0 to leave the part out, or a name such as N to decide later."),
    ("[CONV] * POOL", 10, "POOL names a layer, not how often to repeat.", "Write a number such as 2, or a letter such as N."),
    ("[CONV] *", 9, "The text ends after *.", "Expected a name or a number."),
    ("[CONV] 2", 8, "2 stands here alone.", "Write * 2 to repeat."),
    ("[CONV]*2*3", 9, "* follows another * or ?.", "Put the inner part into [ ]."),
    ("{CONV}", 1, "{ } holds a single branch.", "Write { a | b } to concatenate, { a + b } to add, and ID for a branch without layers."),
    ("{CONV|FC+ID}", 9, "| and + are mixed in one { }.", "Put the inner branches into { } of their own."),
    ("{ | CONV }", 3, "| cannot stand here.", "Expected a layer, [ or {."),
    ("CONV | FC", 6, "| cannot stand here.", "Branches stand in braces: { a | b } or { a + b }."),
    ("CONV =>  # and then\n", 8, "The text ends after =>.", "Expected a layer, [ or {."),
    ("CONV => => FC", 9, "=> cannot stand here.", "Expected a layer, [ or {."),
    ("", 1, "The diagram is empty.", "Write layers, such as INPUT => FC."),
    ("CONV => INPUT", 9, "INPUT can only be the first layer.", "Begin the diagram with INPUT and leave it out here."),
    ("[INPUT => CONV] * 2", 2, "INPUT can only be the first layer.", "Begin the diagram with INPUT and leave it out here."),
    ("CONV(fliters=3)", 6, "CONV has no setting fliters.", "Did you mean filters?"),
    ("POOL(bias=true)", 6, "POOL has no setting bias.", "POOL takes kernel, stride, mode, padding, rounding."),
    ("RELU(3)", 6, "RELU has no settings.", "Write RELU alone."),
    ("FC(1, true, 3)", 13, "FC has at most 2 settings.", "FC takes units, bias."),
    ("FC(units=3, true)", 13, "true has no name and follows a setting that has one.", "Give its name: units, bias."),
    ("FC(3, units=4)", 7, "units is given twice.", "Leave one of the two out."),
    ("CONV(0)", 6, "CONV's filters cannot be 0.", "It takes a whole number of at least 1."),
    ("CONV(8, 0x3)", 9, "CONV's kernel cannot be 0x3.", "It takes a whole number of at least 1, or two as in 5x1."),
    ("CONV(padding=-1)", 14, "CONV's padding cannot be -1.", "It takes a whole number of at least 0, or two as in 5x1, or same."),
    ("DO(1)", 4, "DO's p cannot be 1.", "It takes a number of at least 0 and below 1."),
    ("BN(eps=0.0)", 8, "BN's eps cannot be 0.0.", "It takes a number above 0."),
    ("POOL(mode=median)", 11, "POOL's mode cannot be median.", "It takes max or avg."),
    ("CONV(bias=1)", 11, "CONV's bias cannot be 1.", "It takes true or false."),
    ("CONV(rounding=up)", 15, "CONV's rounding cannot be up.", "It takes strict, floor or ceil."),
    ("FC(99999999999999999999)", 4, "This number is too large.", "Write a number of at most 1,000,000,000."),
    ("[" * 40, 33, "The brackets are nested more than 32 deep.", "Write the inner parts out."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "column", "message", "suggestion"), MISTAKES)
def test_mistakes_are_explained(text, column, message, suggestion):
    with pytest.raises(DiagramError) as caught:
        parse(text)
    error = caught.value
    assert (error.message, error.suggestion, error.line, error.column) == (
        message,
        suggestion,
        1,
        column,
    )


@pytest.mark.claim("M11.10")
def test_the_missing_arrow_of_the_source_is_found():
    with pytest.raises(DiagramError) as caught:
        parse(M11_10)
    assert str(caught.value) == (
        "line 1, column 72: The arrow between FC and RELU is missing.\n"
        f"  {M11_10}\n"
        f"  {' ' * 71}^\n"
        "Write FC => RELU."
    )


def test_the_caret_stands_in_the_right_line():
    with pytest.raises(DiagramError) as caught:
        parse("INPUT(3, 32, 32)  # ok\n\t=> CONV(32, kernel=3)\n\t=> REUL => FC")
    assert str(caught.value) == (
        "line 3, column 5: REUL is not a layer.\n   => REUL => FC\n      ^\nDid you mean RELU?"
    )


def test_what_is_no_text_is_refused():
    with pytest.raises(CnnlibError, match="text=3 is a int, not a text"):
        parse(3)


# --- fuzz ---------------------------------------------------------------------------------------

TOKENS = [*SIGNATURES, "=>", "→", "[", "]", "(", ")", "{", "}", "|", "+", "*", "×", "?", ",", "=", "#", "\n",
          "3", "3x3", "5 × 1", "0.5", "1e-3", "-1", "−2", "N", "K", "same", "kernel", "kernel=", "padding=same",
          "rounding=ceil", "true", "CNOV", "x", "1e999", "9" * 30, ";", "->", "\0", "é", "\u2028", "٣"]  # fmt: skip


def random_text(rng):
    if rng.random() < 0.3:
        return rng.choice(["", " "]).join(rng.choices(TOKENS, k=rng.randint(0, 25)))
    text = list(rng.choice(MATERIAL).values[0])
    for _ in range(rng.randint(1, 2)):
        at = rng.randrange(len(text) + 1)
        change = rng.random()
        if change < 0.4:
            del text[at : at + rng.randint(1, 6)]
        elif change < 0.8:
            text[at:at] = rng.choice(TOKENS)
        else:
            text[at:at] = text[rng.randrange(len(text) + 1) :][: rng.randint(1, 20)]
    return "".join(text)


def tree_or_error(text):
    try:
        return parse(text)
    except DiagramError as error:
        return error


def test_ten_thousand_random_texts_give_a_tree_or_a_caret():
    rng = random.Random(20211)
    trees = errors = 0
    for _ in range(10_000):
        text = random_text(rng)
        tree = tree_or_error(text)
        if isinstance(tree, DiagramError):
            errors += 1
            head, shown, caret, suggestion = str(tree).split("\n")
            assert caret.strip() == "^", text
            assert len(caret) <= len(shown) + 1, text
            assert head.startswith(f"line {tree.line}, column {tree.column}: "), text
            assert suggestion.endswith((".", "?")), text
        else:
            trees += 1
            assert parse(str(tree)) == tree, text
    assert trees > 250
    assert errors > 5000
