"""Which device ``"auto"`` picks."""

import pytest
import torch

from cnnlib.pytorch.device import device


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_picks_the_fastest_there_is(monkeypatch, cuda, mps, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert device() == device("auto") == torch.device(expected)
    assert device("cpu") == torch.device("cpu"), "a name is taken at its word"


def test_tensors_can_live_on_it():
    assert torch.ones(2, device=device()).sum().item() == 2
