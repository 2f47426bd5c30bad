"""The zoo's networks against the published numbers, and against torch layer by layer."""

import pytest
import torch

from cnnlib.diagram import zoo
from cnnlib.diagram.build import build
from cnnlib.diagram.parse import parse
from cnnlib.diagram.summary import summarize

PUBLISHED = {
    "alexnet": 61_100_840,
    "vgg16": 138_357_544,
    "googlenet": 6_624_904,
    "resnet18": 11_689_512,
    "resnet50": 25_557_032,
    "squeezenet1_0": 1_248_424,
    "squeezenet1_1": 1_235_496,
}
# In thousands of millions, to the digits that torchvision's documentation gives (there "GFLOPS").
PUBLISHED_GMACS = {
    "alexnet": 0.71,
    "vgg16": 15.47,
    "googlenet": 1.50,
    "resnet18": 1.81,
    "resnet50": 4.09,
    "squeezenet1_0": 0.82,
    "squeezenet1_1": 0.35,
}


def test_the_zoo_is_complete():
    assert set(zoo.NAMES) == set(PUBLISHED)
    assert all(getattr(zoo, name) == text for name, text in zoo.NAMES.items())


@pytest.mark.claim("M12.2")
@pytest.mark.parametrize("name", PUBLISHED)
def test_published_totals(name):
    summary = summarize(zoo.NAMES[name])
    assert summary.totals.params == PUBLISHED[name]
    assert summary.totals.params == summary.rows[-1].params_so_far
    assert summary.output_shape == (1000,)
    assert round(summary.totals.macs / 1e9, 2) == PUBLISHED_GMACS[name]


@pytest.mark.claim("M12.2")
def test_the_googlenet_of_the_paper_with_batch_norm_is_larger():
    paper = zoo.googlenet
    for f5_in, f5 in ((16, 32), (32, 96), (16, 48), (24, 64), (32, 64), (32, 128), (48, 128)):
        narrow = f"CONV({f5_in}, 1, bias=false) => BN => RELU => CONV({f5}, 3,"
        assert narrow in paper
        paper = paper.replace(narrow, narrow.replace(f"CONV({f5}, 3,", f"CONV({f5}, 5,"))
    assert summarize(paper).totals.params == 7_005_832


@pytest.mark.claim("M3.4")
@pytest.mark.parametrize(
    ("name", "field"), [("alexnet", 195), ("vgg16", 212), ("resnet18", 435), ("resnet50", 427)]
)
def test_published_receptive_fields(name, field):
    last = [row for row in summarize(zoo.NAMES[name]).rows if row.field][-1]
    assert last.field == (field, field)
    assert last.jump == (32, 32)


@pytest.mark.parametrize("name", PUBLISHED)
def test_torch_agrees_layer_by_layer(name, monkeypatch):
    with torch.device("meta"):
        network = build(zoo.NAMES[name], backend="torch").eval()
        x = torch.empty(2, 3, 224, 224)
    seen = {}

    def recording(method):
        def wrapper(step, x):
            out = method(step, x)
            seen[step.name] = tuple(out.shape[1:])
            return out

        return wrapper

    monkeypatch.setattr(network, "_layer", recording(network._layer))
    monkeypatch.setattr(network, "_split", recording(network._split))
    network(x)
    rows = summarize(zoo.NAMES[name]).rows
    assert seen == {row.name: row.shape for row in rows}
    counts = {
        place: sum(p.numel() for p in module.parameters())
        for place, module in network.named_children()
    }
    assert counts == {row.name: row.params for row in rows if row.params}
    assert sum(p.numel() for p in network.parameters()) == PUBLISHED[name]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_texts_are_short_enough_to_read(name):
    text = zoo.NAMES[name]
    assert len(text) < 3000
    assert max(map(len, text.splitlines())) <= 250
    assert parse(str(parse(text))) == parse(text)
