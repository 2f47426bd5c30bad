"""What goes along to a student's process, and what is kept of the checks' own functions."""

import ast
from types import SimpleNamespace

import numpy as np
import pytest
from torch import nn

from cnnlib.checks.ch12_beyond_the_pattern.driving_branches import fire
from cnnlib.checks.errands import beside, bundled, remembered

ERRANDS = {
    "ch12_beyond_the_pattern.driving_branches": {
        "Inception",
        "Fire",
        "BasicBlock",
        "ResNetBuilder",
    },
    "ch12_beyond_the_pattern.driving_residual": {
        "Inception",
        "Fire",
        "BasicBlock",
        "ResNetBuilder",
    },
    "ch12_beyond_the_pattern.driving_resnet": {"Inception", "Fire", "ResNetBuilder"},
    "ch13_rules_of_thumb.by_heart": {"overfit", "_train"},
    "ch13_rules_of_thumb.fitting": {"right_way", "test_labels"},
}


@pytest.mark.parametrize("module", ERRANDS)
def test_an_errand_stands_alone_and_carries_no_answer(module):
    """It may use the student edition of cnnlib, as every cell may."""
    tree = ast.parse(bundled(f"cnnlib.checks.{module}"))
    nodes = list(ast.walk(tree))
    modules = {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    modules |= {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    assert {m for m in modules if m.startswith("cnnlib")} <= {"cnnlib.diagram"}
    made = {n.name for n in nodes if isinstance(n, ast.ClassDef | ast.FunctionDef)}
    named = {n.id for n in nodes if isinstance(n, ast.Name)} | {
        n.arg for n in nodes if isinstance(n, ast.arg)
    }
    assert not ERRANDS[module] & (made | (named if "fitting" in module else set()))


class _Session:
    """Stands for the process where a student's function is: an errand runs on what is there."""

    def __init__(self, there):
        self.there, self.asked = there, []

    def errand(self, source, function, where):
        self.asked.append((function, where))
        space: dict = {}
        exec(source, space)
        return lambda proxy, *rest, **settings: space[function](self.there, *rest, **settings)


def test_an_errand_goes_where_the_function_is():
    session = _Session(lambda *sizes: nn.Conv2d(sizes[0], sizes[1], 1))
    proxy = SimpleNamespace(remote_session=session, remote_place="Fire")
    drive = beside(fire)
    assert drive(proxy, 3, 4, 5, 6) == 16
    assert session.asked == [("fire", "Fire")]
    assert drive(lambda *sizes: nn.Conv2d(sizes[0], sizes[2], 1), 3, 4, 5, 6) == 20
    assert len(session.asked) == 1


def test_only_what_the_checks_gave_is_remembered():
    calls = []

    def drive(written, x, *, power=1):
        calls.append(written)
        if power < 0:
            raise ValueError("negative")
        return written(x**power)

    def ours(x):
        return x.sum()

    def theirs(x):
        return x.sum()

    ours.__module__ = "cnnlib.checks.ch99.ideas"
    kept = remembered(drive)
    x = np.arange(4.0)
    for _ in range(3):
        assert kept(ours, x) == kept(theirs, x) == 6
        assert kept(ours, x, power=2) == 14
        assert kept(ours, x.astype(np.float32)) == kept(ours, x.reshape(2, 2)) == 6
        with pytest.raises(ValueError, match="negative"):
            kept(ours, x, power=-1)
    assert calls.count(ours) == 5
    assert calls.count(theirs) == 3
