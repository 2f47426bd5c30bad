"""The contract of the layers: which files, names and signatures the two packages share."""

import importlib
import inspect

import pytest

from tests.parity.common import assert_same_signature

CONTRACT = {
    "conv": ["conv2d"],
    "pool": ["max_pool2d", "avg_pool2d", "global_avg_pool2d"],
    "activation": ["relu", "leaky_relu", "elu", "sigmoid", "tanh", "softmax"],
    "linear": ["flatten", "linear"],
    "norm": ["batch_norm"],
    "dropout": ["dropout"],
    "loss": ["softmax_cross_entropy"],
}
LAYERS = [(file, name) for file, names in CONTRACT.items() for name in names]


def modules(file):
    return (importlib.import_module(f"cnnlib.{room}.{file}") for room in ("reference", "pytorch"))


@pytest.mark.parametrize("file", CONTRACT)
def test_the_torch_file_holds_the_layers_and_nothing_else(file):
    reference, pytorch = modules(file)
    assert set(pytorch.__all__) == set(CONTRACT[file])
    assert set(CONTRACT[file]) <= set(reference.__all__)


@pytest.mark.parametrize(("file", "name"), LAYERS)
def test_a_layer_has_one_signature(file, name):
    reference, pytorch = modules(file)
    assert_same_signature(getattr(reference, name), getattr(pytorch, name))
    forward = getattr(reference, f"{name}_forward", None)
    if file == "activation":  # the output is the cache
        assert forward is None
    else:
        assert inspect.signature(forward).parameters == inspect.signature(
            getattr(reference, name)
        ).parameters  # fmt: skip


@pytest.mark.parametrize(("file", "name"), LAYERS)
def test_a_backward_takes_the_gradient_and_the_cache(file, name):
    reference, _ = modules(file)
    first, second, *settings = inspect.signature(getattr(reference, f"{name}_backward")).parameters
    assert (first, second) == ("dout", "cache")
    layer = inspect.signature(getattr(reference, name)).parameters
    assert settings == ([n for n in layer if n != "x"] if file == "activation" else [])


@pytest.mark.parametrize("file", CONTRACT)
def test_every_public_function_of_the_reference_is_explained(file):
    reference, _ = modules(file)
    for name in reference.__all__:
        function = getattr(reference, name)
        assert function.__doc__, name
        assert function.__module__ == reference.__name__
