"""Modules: weights from and to the reference layers, whole networks, devices, memory formats, autocast."""

import numpy as np
import pytest
import torch
from torch import nn

from cnnlib.errors import ShapeError
from cnnlib.pytorch.modules import BatchNorm, Conv2d, Dropout, Linear, Sequential
from cnnlib.reference import activation, conv, linear, loss, norm, pool
from tests.parity.common import DEVICES, assert_close, normal, to_torch

EXACT = {"cpu": None, "cuda": 1e-3}  # CUDA's convolutions may compute in TF32


def some_network(dtype=torch.float64, device="cpu"):
    """Every kind of layer that holds weights or state."""
    return Sequential(
        Conv2d(3, 4, 3, padding=1),
        BatchNorm(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        Linear(4 * 3 * 4, 5, bias=False),
        BatchNorm(5),
    ).to(device, dtype)


def random_arrays(module, dtype=np.float64):
    """Arrays for the module, none at its initial value; variances positive."""
    return {
        name: np.abs(normal(array.shape, dtype, seed)) + dtype(0.1)
        if name.endswith("var")
        else normal(array.shape, dtype, seed)
        for seed, (name, array) in enumerate(module.to_arrays().items())
    }


def reference_step(arrays, x, labels, rate):
    """The same network by hand: loss, and the arrays after one step of gradient descent in training."""
    a = dict(arrays)

    def batch_norm(x, place):
        names = [f"{place}.{n}" for n in ("gamma", "beta", "running_mean", "running_var")]
        (out, a[names[2]], a[names[3]]), cache = norm.batch_norm_forward(
            x, *(arrays[n] for n in names), training=True
        )
        return out, cache

    out, conv_cache = conv.conv2d_forward(x, a["0.weight"], a["0.bias"], padding=1)
    out, norm_cache = batch_norm(out, 1)
    active = activation.relu(out)
    out, pool_cache = pool.max_pool2d_forward(active, 2)
    out, flat_cache = linear.flatten_forward(out)
    out, fc_cache = linear.linear_forward(out, a["5.weight"])
    out, last_cache = batch_norm(out, 6)
    value, loss_cache = loss.softmax_cross_entropy_forward(out, labels)

    gradients = {}
    dout = loss.softmax_cross_entropy_backward(1.0, loss_cache)
    dout, gradients["6.gamma"], gradients["6.beta"] = norm.batch_norm_backward(dout, last_cache)
    dout, gradients["5.weight"], _ = linear.linear_backward(dout, fc_cache)
    dout = pool.max_pool2d_backward(linear.flatten_backward(dout, flat_cache), pool_cache)
    dout = activation.relu_backward(dout, active)
    dout, gradients["1.gamma"], gradients["1.beta"] = norm.batch_norm_backward(dout, norm_cache)
    _, gradients["0.weight"], gradients["0.bias"] = conv.conv2d_backward(dout, conv_cache)
    return value, a | {name: a[name] - rate * g for name, g in gradients.items()}


@pytest.mark.parametrize("device", DEVICES)
def test_a_network_trains_alike_in_both_libraries(device):
    network = some_network(device=device)
    arrays = random_arrays(network)
    network.load_arrays(arrays)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for step in range(4):
        x = normal((8, 3, 6, 8), np.float64, step)
        labels = np.random.default_rng(step).integers(0, 5, 8)
        value, arrays = reference_step(arrays, x, labels, 0.1)
        optimizer.zero_grad()
        criterion = nn.functional.cross_entropy(
            network(to_torch(x, device=device)), to_torch(labels, device=device)
        )
        criterion.backward()
        optimizer.step()
        assert_close(value, criterion)
    trained = network.to_arrays()
    assert trained.keys() == arrays.keys()
    for name, array in trained.items():
        assert_close(array, arrays[name], tolerance=1e-8)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("module", "names"),
    [
        (Conv2d(2, 4, (3, 2), groups=2), {"weight", "bias"}),
        (Conv2d(2, 4, 3, bias=False), {"weight"}),
        (Linear(3, 2), {"weight", "bias"}),
        (BatchNorm(3), {"gamma", "beta", "running_mean", "running_var"}),
        (BatchNorm(3, affine=False), {"running_mean", "running_var"}),
    ],
)
def test_arrays_go_in_and_come_out(module, names, dtype, device):
    module = module.to(device, to_torch(np.zeros(1, dtype)).dtype)
    arrays = random_arrays(module, dtype)
    assert arrays.keys() == names
    module.load_arrays(arrays)
    returned = module.to_arrays()
    for name, array in returned.items():
        np.testing.assert_array_equal(array, arrays[name])
        assert array.dtype == dtype
        array += 1  # a copy: the module does not change
    np.testing.assert_array_equal(*(d[min(names)] for d in (module.to_arrays(), arrays)))


@pytest.mark.parametrize("device", DEVICES)
def test_a_layer_computes_what_the_reference_does(device, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    layer = Conv2d(3, 4, 3, stride=2, padding=1).to(device)
    x = normal((2, 3, 7, 8), np.float32)
    assert_close(
        layer(to_torch(x, device=device)), conv.conv2d(x, **layer.to_arrays(), stride=2, padding=1)
    )
    layer = Linear(5, 2).to(device)
    x = normal((3, 5), np.float32)
    assert_close(layer(to_torch(x, device=device)), linear.linear(x, **layer.to_arrays()))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 5, 2)])
def test_batch_norm_takes_both_ranks_and_no_other(shape, device):
    layer, x = BatchNorm(3).to(device), normal(shape, np.float32)
    arrays = layer.to_arrays()
    out, mean, var = norm.batch_norm(x, **arrays, training=True)
    assert_close(layer(to_torch(x, device=device)), out)
    assert_close(layer.to_arrays()["running_mean"], mean)
    assert_close(layer.to_arrays()["running_var"], var)
    out, _, _ = norm.batch_norm(x, **layer.to_arrays(), training=False)
    assert_close(layer.eval()(to_torch(x, device=device)), out)
    with pytest.raises(ShapeError) as caught:
        layer(torch.zeros(2, 3, 4, device=device))
    assert str(caught.value) == (
        "input has shape (2, 3, 4), 3 axes: this layer needs (N, C) or (N, C, H, W). "
        "Flatten the features or add the missing axis."
    )


@pytest.mark.parametrize("device", DEVICES)
def test_dropout_draws_from_its_own_generator_in_training_only(device):
    x = torch.ones(64, device=device)
    layers = [Dropout(0.5, torch.Generator(device).manual_seed(3)) for _ in range(2)]
    first, again = (layer(x) for layer in layers)
    torch.manual_seed(0)
    assert torch.equal(first, again), "the same seed"
    assert not torch.equal(layers[0](x), first), "a new mask for each batch"
    assert set(first.tolist()) == {0.0, 2.0}
    assert torch.equal(layers[0].eval()(x), x)
    assert set(Dropout()(x).tolist()) == {0.0, 2.0}


# --- memory formats and precision -------------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
def test_channels_last_changes_neither_results_nor_arrays(device):
    network = some_network(torch.float32, device)
    arrays = random_arrays(network, np.float32)
    network.load_arrays(arrays)
    x = to_torch(normal((8, 3, 6, 8), np.float32), device=device)
    plain = network.eval()(x)
    network.to(memory_format=torch.channels_last)
    weight = network[0].weight
    network.load_arrays(arrays)
    assert weight.is_contiguous(memory_format=torch.channels_last), "loading keeps the format"
    out = network(x.to(memory_format=torch.channels_last))
    assert_close(out, plain.numpy(force=True), tolerance=EXACT[device])
    for name, array in network.to_arrays().items():
        np.testing.assert_array_equal(array, arrays[name])
        assert array.flags.c_contiguous


@pytest.mark.parametrize("device", DEVICES)
def test_autocast_runs_in_bfloat16_and_keeps_the_arrays_in_float32(device):
    network = some_network(torch.float32, device)
    x = to_torch(normal((8, 3, 6, 8), np.float32), device=device)
    with torch.autocast(device, dtype=torch.bfloat16):
        out = network(x)
    assert out.dtype == torch.bfloat16
    out.float().sum().backward()
    assert {a.dtype for a in network.to_arrays().values()} == {np.dtype(np.float32)}
    assert network[0].weight.grad.dtype == torch.float32


def test_low_precision_weights_come_back_as_float32():
    layer = Linear(3, 2).to(torch.bfloat16)
    arrays = layer.to_arrays()
    assert arrays["weight"].dtype == np.float32
    np.testing.assert_array_equal(arrays["weight"], layer.weight.detach().float().numpy())


def test_state_dict_keeps_torchs_names():
    assert set(BatchNorm(2).state_dict()) == set(nn.BatchNorm2d(2).state_dict())
    plain = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4))
    ours = Sequential(Conv2d(3, 4, 3, padding=1), BatchNorm(4))
    ours.load_state_dict(plain.state_dict())
    np.testing.assert_array_equal(ours.to_arrays()["1.gamma"], plain[1].weight.detach().numpy())
    wrapped = Sequential(*plain)
    assert wrapped.to_arrays().keys() == ours.to_arrays().keys(), "torch's own layers are welcome"


# --- refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda a: a.pop("bias"),
         "arrays lacks ['bias'] and has nothing unknown to this Linear: "
         "the names must be ['bias', 'weight']."),
        (lambda a: a.update(gamma=np.ones(2)),
         "arrays lacks nothing and has ['gamma'] unknown to this Linear: "
         "the names must be ['bias', 'weight']."),
        (lambda a: a.update(weight=a["weight"].T),
         "arrays['weight'] has shape (3, 2), expected (2, 3): "
         "build the module with the sizes of the arrays."),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_refused_and_nothing_is_loaded(change, text):
    layer = Linear(3, 2)
    before = layer.to_arrays()
    arrays = random_arrays(layer, np.float32)
    change(arrays)
    with pytest.raises(ShapeError) as caught:
        layer.load_arrays(arrays)
    assert str(caught.value) == text
    for name, array in layer.to_arrays().items():
        np.testing.assert_array_equal(array, before[name])
