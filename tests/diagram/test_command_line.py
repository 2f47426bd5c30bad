"""The commands, run as a user runs them: in a process of their own, except where only the text matters."""

import io
import subprocess
import sys

import pytest

from cnnlib.diagram.__main__ import main

COMMAND = [sys.executable, "-m", "cnnlib.diagram"]


def run(*words, **settings):
    return subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, encoding="utf-8", **settings
    )


def test_a_diagram_is_checked_in_ci():
    good = run("lint", "INPUT(3, 32, 32) => CONV(8) => RELU => POOL => FC(3)")
    assert (good.returncode, good.stdout, good.stderr) == (0, "No findings.\n", "")
    bad = run("lint", "INPUT(3, 33, 33) => CONV(8) => RELU => POOL => FC(3)")
    assert (bad.returncode, bad.stderr) == (1, "")
    assert bad.stdout == (
        "line 1, column 40: error M13.3: POOL 2 × 2 with stride 2 meets the odd size 33.\n"
        "  INPUT(3, 33, 33) => CONV(8) => RELU => POOL => FC(3)\n"
        f"  {' ' * 39}^\n"
        "Why: An input that can be halved once for each POOL is pooled evenly all the way.\n"
        "Instead: INPUT(3, 34, 34)\n"
        "\n"
        "1 finding.\n"
    )


def test_a_broken_diagram_ends_with_one_and_a_caret():
    done = run("summary", "INPUT(3, 32, 32) => CNOV(8)")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "line 1, column 21: CNOV is not a layer.\n"
        "  INPUT(3, 32, 32) => CNOV(8)\n"
        f"  {' ' * 20}^\n"
        "Did you mean CONV?\n"
    )


def test_warnings_do_not_fail(capsys):
    assert main(["lint", "CONV => CONV"]) == 0
    assert "warning M2.4" in capsys.readouterr().out
    assert main(["lint", "--disable", "M2.4", "CONV => CONV"]) == 0
    assert capsys.readouterr().out == "No findings.\n"
    assert main(["lint", "--disable", "M99", "CONV"]) == 1
    assert "disable='M99' is no rule" in capsys.readouterr().err


@pytest.mark.claim("M12.2")
@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("alexnet", "61,100,840"),
        ("vgg16", "138,357,544"),
        ("googlenet", "6,624,904"),
        ("resnet18", "11,689,512"),
        ("resnet50", "25,557,032"),
        ("squeezenet1_0", "1,248,424"),
        ("squeezenet1_1", "1,235,496"),
    ],
)
def test_summary_prints_the_published_totals(name, total, capsys):
    assert main(["summary", name]) == 0
    assert total in capsys.readouterr().out


def test_expand_fills_in_the_names(capsys):
    assert main(["expand", "[CONV => POOL?]*N => FC", "N=2", "pool=true"]) == 0
    assert capsys.readouterr().out == "CONV => POOL => CONV => POOL => FC\n"
    assert main(["expand", "[CONV]*N", "N=-1"]) == 1
    assert "N=-1 is not a number of repeats" in capsys.readouterr().err


def test_values_reach_the_summary(capsys):
    pattern = "INPUT(3, 8, 8) => [CONV(4) => RELU]*N => FC(2)"
    assert main(["summary", pattern, "N=1"]) == 0
    once = capsys.readouterr().out
    assert main(["summary", pattern, "N=2"]) == 0
    assert once != capsys.readouterr().out
    assert main(["summary", pattern]) == 1


def test_a_value_that_is_none_is_explained(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["expand", "[CONV]*N", "N=two"])
    assert stopped.value.code == 2
    assert "'N=two' is not NAME=VALUE with a whole number" in capsys.readouterr().err


def test_the_diagram_can_come_from_a_pipe(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("FC  # the last\n=> SOFTMAX\n"))
    assert main(["expand", "-"]) == 0
    assert capsys.readouterr().out == "FC => SOFTMAX\n"


def test_draw_with_letters_or_into_a_file(capsys, tmp_path):
    text = "INPUT(3, 8, 8) => CONV(4) => RELU => FC(2)"
    assert main(["draw", text]) == 0
    assert "4×8×8" in capsys.readouterr().out
    target = tmp_path / "network.svg"
    assert main(["draw", text, "-o", str(target)]) == 0
    assert target.read_text(encoding="utf-8").count("<svg") == 1
    assert main(["draw", text, "-o", str(tmp_path / "no" / "network.svg")]) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["summary", "lint", "draw", "expand"])
def test_help(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert "squeezenet1_1" in capsys.readouterr().out


def test_reading_and_checking_need_no_arrays():
    code = (
        "from cnnlib.diagram import expand, lint, parse, summarize, zoo; import sys;"
        "parse(zoo.vgg16), expand(zoo.vgg16), lint(zoo.vgg16), summarize(zoo.vgg16);"
        "print(*{'numpy', 'torch', 'matplotlib'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == []
