"""Built networks: both libraries agree in forward and gradients, and exchange their weights."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from cnnlib.diagram import zoo
from cnnlib.diagram.build import build
from cnnlib.diagram.plan import plan
from cnnlib.errors import CnnlibError, DiagramError, DtypeError, RangeError, ShapeError
from tests.parity.common import DEVICES, assert_close, finite_difference, normal

TOLERANCE = 1e-8


def both(text, input_shape=None, seed=0, dtype="float64", training=True):
    """The two networks with the same weights, none of them at its special first value."""
    numpy, torch_ = (
        build(text, input_shape, backend=backend, seed=seed, dtype=dtype)
        for backend in ("numpy", "torch")
    )
    rng = np.random.default_rng(seed)
    arrays = {
        name: array if name.endswith("weight") else array + rng.uniform(0.1, 0.5, array.shape)
        for name, array in numpy.to_arrays().items()
    }
    numpy.load_arrays(arrays)
    torch_.load_arrays(arrays)
    return numpy.train(training), torch_.train(training)


def agree(text, input_shape=None, seed=0, training=True, batch=4):
    numpy, torch_ = both(text, input_shape, seed, training=training)
    x = normal((batch, *numpy.plan.in_shape), np.float64, seed)
    tensor = torch.from_numpy(x.copy()).requires_grad_()
    out, expected = numpy(x), torch_(tensor)
    assert out.shape[1:] == numpy.plan.out_shape
    assert_close(out, expected, tolerance=TOLERANCE)
    dout = normal(out.shape, np.float64, seed + 1)
    gradients = numpy.backward(dout)
    expected.backward(torch.from_numpy(dout.copy()))
    wanted = torch_.gradients() | {"input": tensor.grad.numpy()}
    assert gradients.keys() == wanted.keys()
    for name, gradient in gradients.items():
        assert_close(gradient, wanted[name], tolerance=TOLERANCE)
    after, wanted = numpy.to_arrays(), torch_.to_arrays()
    for name in after:  # the running statistics too
        assert_close(after[name], wanted[name], tolerance=TOLERANCE)


# --- the diagrams of the material -----------------------------------------------------------------

MATERIAL = {
    "M2.2": "INPUT => CONV => RELU => FC => SOFTMAX",
    "M9.8": "INPUT => CONV => RELU => BN",
    "M10.3": "INPUT => CONV => RELU => POOL => FC => DO => FC => DO => FC",
    "M11.1": "INPUT => [[CONV => RELU]*2 => POOL]*2 => [FC => RELU]*1 => FC",
    "M11.1 without POOL": "INPUT => [[CONV => RELU]*3]*1 => [FC => RELU]*2 => FC",
    "M11.3 linear": "INPUT => FC",
    "M11.3": "INPUT => [CONV => RELU => POOL] * 2 => FC => RELU => FC",
    "M11.3 deeper": "INPUT => [CONV => RELU => CONV => RELU => POOL] * 3 => [FC => RELU] * 2 => FC",
    "M11.4": "INPUT => CONV => RELU => FC",
    "M11.5": "INPUT => [CONV => RELU => POOL] * 2 => [CONV => RELU] * 3 => POOL => [FC => RELU => DO] * 2 => SOFTMAX",
    "M11.6": "INPUT => [CONV => RELU] * 2 => POOL => [CONV => RELU] * 2 => POOL => [CONV => RELU] * 3 => POOL => [CONV => RELU] * 3 => POOL => [FC => RELU => DO] * 2 => SOFTMAX",
    "M11.9": "INPUT => CONV => RELU => BN => FC",
    "M11.9 pooled": "INPUT => [CONV => RELU => BN => POOL] * 2 => FC => RELU => BN => FC",
    "M11.9 deeper": "INPUT => [CONV => RELU => BN => CONV => RELU => BN => POOL] * 3 => [FC => RELU => BN] * 2 => FC",
    "M12.1 inception": "INPUT => { CONV(3, 1) | CONV(4, 3) | CONV(2, 5) | POOL(3, 1, padding=1) => CONV(2, 1) } => RELU => FC",
    "M12.1 residual": "INPUT => CONV => { BN => ACT => CONV + ID } => RELU => GAP => FC",
    "M12.1 fire": "INPUT => CONV(2, 1) => RELU => { CONV(4, 1) => RELU | CONV => RELU } => GAP => SOFTMAX",
}


def with_sizes(text):
    """Small sizes wherever the diagram leaves them open, and dropout that drops nothing."""
    text = re.sub(r"\bCONV\b(?!\()", "CONV(4)", text)
    return re.sub(r"\bFC\b(?!\()", "FC(7)", text).replace("DO", "DO(0)")


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("name", MATERIAL)
def test_both_agree_on_the_diagrams_of_the_material(name, training):
    agree(with_sizes(MATERIAL[name]), (3, 16, 16), training=training)


@pytest.mark.parametrize(
    "layer",
    [
        "CONV(3, 4)",  # an even kernel: one more zero at the far side
        "CONV(3, 2x5, dilation=2)",
        "CONV(4, 3, stride=2, padding=0, rounding=ceil)",
        "CONV(4, 3x2, stride=2x3, padding=1x0, rounding=floor, groups=2, bias=false)",
        "POOL(3, 2, rounding=ceil)",
        "POOL(3, 2, avg, padding=1, rounding=ceil)",
        "POOL(2x3, 2x1, avg)",
        "LRELU(0.2)",
        "ELU(0.5)",
        "BN(0.3, 0.01)",
        "SOFTMAX",
        "{ ID + ID + CONV(2) }",
        "{ ID | { ID + LRELU } }",
        "GAP => { FC(3) | ID } => BN => ELU",
        "FC(4, false)",
    ],
)
def test_both_agree_on_every_kind_of_layer(layer):
    agree(f"INPUT(2, 8, 10) => {layer}")


@pytest.mark.parametrize("name", ["googlenet", "resnet18", "resnet50", "squeezenet1_0"])
def test_both_agree_on_the_networks_of_the_zoo(name):
    agree(zoo.NAMES[name], (3, 64, 64), training=False, batch=1)


# --- random diagrams ------------------------------------------------------------------------------


@st.composite
def diagrams(draw):
    """Texts of networks that fit: what comes in is followed by a plan of what was drawn so far."""
    shape = (draw(st.integers(1, 3)), draw(st.integers(4, 9)), draw(st.integers(4, 9)))
    parts = ["INPUT({}, {}, {})".format(*shape)]
    for _ in range(draw(st.integers(1, 5))):
        parts.append(draw(volume_part(shape)))
        shape = plan(" => ".join(parts)).out_shape
    tail = ["", "FC(3)", "GAP", "GAP => FC(4) => SOFTMAX", "FC(5, false) => ELU => BN => FC(2)"]
    parts += [part for part in [draw(st.sampled_from(tail))] if part]
    return " => ".join(parts)


@st.composite
def volume_part(draw, shape, keeps_size=False):
    channels, *size = shape
    kind = draw(st.sampled_from(["CONV", "CONV", "POOL", "one", "concat", "add"]))
    if kind == "one" or (kind == "POOL" and keeps_size):
        return draw(st.sampled_from(["RELU", "LRELU(0.3)", "ELU", "BN", "DO(0)", "ACT", "ID"]))
    if kind == "POOL":
        kernel = [draw(st.integers(1, min(3, n))) for n in size]
        stride = [draw(st.integers(1, 2)) for _ in size]
        mode, rounding = (
            draw(st.sampled_from(["max", "avg"])),
            draw(st.sampled_from(["floor", "ceil"])),
        )
        pads = [draw(st.integers(0, k // 2)) for k in kernel]
        return "POOL({}x{}, {}x{}, {}, padding={}x{}, rounding={})".format(
            *kernel, *stride, mode, *pads, rounding
        )
    if kind == "CONV" or keeps_size:
        groups = draw(st.sampled_from([g for g in (1, 2, 3) if channels % g == 0]))
        filters = channels if keeps_size else groups * draw(st.integers(1, 2))
        kernel = [draw(st.integers(1, min(4, n))) for n in size]
        more = f"groups={groups}, bias={draw(st.sampled_from(['true', 'false']))}"
        if not keeps_size:
            stride = [draw(st.integers(1, 2)) for _ in size]
            more += ", stride={}x{}, rounding={}".format(
                *stride, draw(st.sampled_from(["floor", "ceil"]))
            )
            more += draw(st.sampled_from(["", ", padding=0", ", padding=1x2"]))
        return "CONV({}, {}x{}, {})".format(filters, *kernel, more)
    arms = draw(st.lists(volume_part(shape, keeps_size=True), min_size=2, max_size=3))
    return "{ " + (" | " if kind == "concat" else " + ").join(arms) + " }"


@settings(max_examples=60, deadline=None)
@given(diagrams(), st.integers(0, 1000), st.booleans())
def test_both_agree_on_random_diagrams(text, seed, training):
    agree(text, seed=seed, training=training)


def test_gradients_are_those_of_finite_differences():
    text = "INPUT(2, 6, 6) => CONV(3, 4) => ELU => BN => { CONV(3, 1) => SOFTMAX + ID } => POOL(2, 2, avg) => FC(2)"
    network, _ = both(text)
    x = normal((3, 2, 6, 6), np.float64, 5)
    dout = normal((3, 2), np.float64, 6)
    network(x)
    gradients = network.backward(dout)
    assert_close(gradients["input"], finite_difference(network, x, dout), tolerance=1e-6)
    start = network.to_arrays()

    def with_weight(weight):
        network.load_arrays(start | {"conv1.weight": weight})
        return network(x)

    numeric = finite_difference(with_weight, start["conv1.weight"], dout)
    assert_close(gradients["conv1.weight"], numeric, tolerance=1e-6)


# --- weights --------------------------------------------------------------------------------------

SMALL = "INPUT(1, 6, 6) => CONV(2) => BN => RELU => DO => FC(3)"


def test_names_and_shapes():
    network = build(SMALL)
    shapes = {name: array.shape for name, array in network.to_arrays().items()}
    assert shapes == {
        "conv1.weight": (2, 1, 3, 3),
        "conv1.bias": (2,),
        "bn1.gamma": (2,),
        "bn1.beta": (2,),
        "bn1.running_mean": (2,),
        "bn1.running_var": (2,),
        "fc1.weight": (3, 72),
        "fc1.bias": (3,),
    }
    assert [n for n in shapes if "running" not in n] == list(network.parameters())
    assert build(SMALL, backend="torch").to_arrays().keys() == shapes.keys()


def test_the_same_seed_gives_the_same_weights_everywhere():
    first = build(SMALL, seed=3).to_arrays()
    for other in (build(SMALL, seed=3, backend="torch"), build(SMALL, seed=3, dtype="float64")):
        for name, array in other.to_arrays().items():
            np.testing.assert_array_equal(array, first[name])
    assert np.any(build(SMALL, seed=4).to_arrays()["fc1.weight"] != first["fc1.weight"])


def test_first_weights_keep_the_scale():
    weight = build("INPUT(8, 4, 4) => CONV(400)").parameters()["conv1.weight"]
    assert abs(weight.std() / np.sqrt(2 / 72) - 1) < 0.02
    assert abs(weight.mean()) < 0.005


@pytest.mark.parametrize(("here", "there"), [("numpy", "torch"), ("torch", "numpy")])
def test_a_file_goes_both_ways(here, there, tmp_path):
    path = tmp_path / "weights.safetensors"
    saved = build(SMALL, backend=here, seed=1, dtype="float64")
    saved.save(path)
    loaded = build(SMALL, backend=there, seed=2, dtype="float64")
    loaded.load(path)
    assert load_file(path).keys() == saved.to_arrays().keys()
    for name, array in saved.to_arrays().items():
        np.testing.assert_array_equal(loaded.to_arrays()[name], array)


def test_parameters_are_live_and_arrays_are_copies():
    network = build(SMALL)
    network.parameters()["fc1.bias"] += 5
    assert network.to_arrays()["fc1.bias"].tolist() == [5, 5, 5]
    network.to_arrays()["fc1.bias"][:] = 0
    assert network.to_arrays()["fc1.bias"].tolist() == [5, 5, 5]


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_arrays_that_do_not_belong_are_refused_and_nothing_is_loaded(backend):
    network = build(SMALL, backend=backend)
    before = network.to_arrays()
    with pytest.raises(ShapeError, match=r"arrays lacks \['bn1.beta'"):
        network.load_arrays({"fc1.weight": before["fc1.weight"]})
    with pytest.raises(ShapeError, match=r"arrays\['fc1.bias'\] has shape \(4,\), expected \(3,\)"):
        network.load_arrays(before | {"fc1.bias": np.zeros(4, np.float32)})
    for name, array in network.to_arrays().items():
        np.testing.assert_array_equal(array, before[name])


# --- running --------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_dropout_drops_in_training_only(backend):
    network = build("INPUT(1000) => DO(0.25)", backend=backend)
    x = np.ones((2, 1000), np.float32)
    x = torch.from_numpy(x) if backend == "torch" else x
    dropped = np.asarray(network(x)) == 0
    assert 0.2 < dropped.mean() < 0.3
    assert np.all(np.asarray(network.eval()(x)) == 1)
    assert np.any(np.asarray(network.train()(x)) == 0)


def test_the_way_back_uses_the_dropout_mask():
    network = build("INPUT(1000) => DO(0.5)")
    out = network(np.ones((1, 1000), np.float32))
    np.testing.assert_array_equal(network.backward(np.ones_like(out))["input"], out)


def test_the_input_is_not_modified():
    network = build("INPUT(1, 4, 4) => RELU => { ID + ID } => BN")
    x = normal((2, 1, 4, 4), np.float32)  # read-only
    out = network(x)
    dout = normal(out.shape, np.float32, 1)
    network.backward(dout)


def test_float32_stays_float32():
    network = build("INPUT(2, 4, 4) => { CONV(2) => BN + ID } => ELU => GAP => FC(3) => SOFTMAX")
    out = network(normal((2, 2, 4, 4), np.float32))
    assert out.dtype == np.float32
    assert {g.dtype for g in network.backward(out).values()} == {np.dtype(np.float32)}


def test_a_network_learns():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 1, 8, 8)).astype(np.float32)
    labels = (x[:, 0, :4].mean((1, 2)) > x[:, 0, 4:].mean((1, 2))).astype(int)
    network = build("INPUT(1, 8, 8) => CONV(4) => BN => RELU => POOL => FC(2) => SOFTMAX")
    for _ in range(200):
        p = network(x)
        dout = np.zeros_like(p)
        dout[range(64), labels] = -1 / p[range(64), labels] / 64
        gradients = network.backward(dout)
        for name, array in network.parameters().items():
            array -= np.float32(0.1) * gradients[name]
    assert np.mean(network(x).argmax(1) == labels) > 0.95


@pytest.mark.parametrize("device", DEVICES)
def test_the_torch_network_runs_on_a_device(device):
    network = build(SMALL, backend="torch").to(device).eval()
    x = normal((2, 1, 6, 6), np.float32)
    out = network(torch.from_numpy(x.copy()).to(device))
    assert_close(out, build(SMALL).eval()(x))


@pytest.mark.parametrize("text", [SMALL, with_sizes(MATERIAL["M12.1 residual"])])
def test_the_torch_network_compiles_whole(text):
    """One graph without breaks, forward and back; the backend needs no compiler for the machine."""
    network = build(text, (1, 6, 6), backend="torch")
    compiled = torch.compile(network, backend="aot_eager", fullgraph=True)
    x = torch.from_numpy(normal((2, 1, 6, 6), np.float32).copy())
    torch.manual_seed(0)
    out = compiled(x)
    out.sum().backward()
    gradients = network.gradients()
    network.zero_grad()
    assert gradients.keys() == {name for name in network.to_arrays() if "running" not in name}
    torch.manual_seed(0)
    expected = network(x)
    expected.sum().backward()
    assert_close(out, expected)
    for name, gradient in network.gradients().items():
        assert_close(gradients[name], gradient)


# --- errors ---------------------------------------------------------------------------------------


def test_errors():
    with pytest.raises(RangeError, match='backend=\'jax\' is unknown: use "numpy" or "torch"'):
        build(SMALL, backend="jax")
    with pytest.raises(DtypeError, match="dtype=float16 is not one that networks compute in"):
        build(SMALL, dtype="float16")
    with pytest.raises(DtypeError, match="dtype=float16"):
        build(SMALL, dtype=torch.float16, backend="torch")
    with pytest.raises(ShapeError, match="seed=-1 is too small"):
        build(SMALL, seed=-1)
    with pytest.raises(DiagramError, match="does not say how many filters"):
        build("INPUT(1, 4, 4) => CONV")


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_batch_of_another_size_is_refused(backend):
    network = build(SMALL, backend=backend)
    x = np.zeros((2, 1, 7, 6), np.float32)
    with pytest.raises(ShapeError, match="the network was built for this size"):
        network(torch.from_numpy(x) if backend == "torch" else x)


def test_the_way_back_needs_a_way_there():
    network = build(SMALL)
    with pytest.raises(CnnlibError, match="call the network with a batch first"):
        network.backward(np.zeros((2, 3), np.float32))
    network(np.zeros((2, 1, 6, 6), np.float32))
    with pytest.raises(ShapeError, match=r"dout has shape \(2, 4\), expected \(2, 3\)"):
        network.backward(np.zeros((2, 4), np.float32))
