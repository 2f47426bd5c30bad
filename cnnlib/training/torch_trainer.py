"""One step and one look at a network of torch, on any device and in one process or several.

In a group of processes (``torchrun``) each takes its share of every batch. The loss of a share is
divided by the size of the whole batch, so what DistributedDataParallel hands out is the gradient of the
mean over the whole batch, also where the shares differ by an image. BN alone sees only the share: its
statistics are those of each process's images, as everywhere in DistributedDataParallel, and the first
process's running ones are kept.

References
----------
Micikevicius et al. (2018), *Mixed precision training* (scaling the loss). Li et al. (2020), *PyTorch
distributed: experiences on accelerating data parallel training* (gradients averaged while they come).
"""

import contextlib
import os
from typing import Any

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.nn import functional

from cnnlib.data.augment import Draws
from cnnlib.data.augment_torch import augment
from cnnlib.errors import RangeError
from cnnlib.pytorch.device import device as find_device
from cnnlib.pytorch.network import Network
from cnnlib.training.nonfinite import bad_gradient, bad_loss
from cnnlib.training.optimizers import SGD, Optimizer

__all__ = ["TorchTrainer"]

PRECISIONS = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}


class TorchTrainer:
    """What the loop asks of a backend, for :class:`cnnlib.pytorch.network.Network`.

    The parameters are those of :func:`cnnlib.training.fit` with the same names.
    """

    def __init__(
        self,
        network: Network,
        optimizer: Optimizer,
        *,
        device: str = "cpu",
        precision: str = "float32",
        channels_last: bool = False,
        compile: bool | str = False,
        accumulate: int = 1,
        distributed: bool = False,
    ) -> None:
        if precision not in PRECISIONS:
            raise RangeError(
                f"precision={precision!r} is unknown: use {', '.join(map(repr, PRECISIONS))}."
            )
        self.own_group = distributed and _join(device)
        self.rank, self.world = _place() if distributed else (0, 1)
        if distributed and device in ("auto", "cuda") and torch.cuda.is_available():
            device = f"cuda:{os.environ.get('LOCAL_RANK', 0)}"
        self.device = find_device(device)
        self.autocast = PRECISIONS[precision]
        self.precision, self.accumulate, self.optimizer = precision, accumulate, optimizer
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        network.to(self.device)
        if channels_last:
            nn.Module.to(network, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network = network
        self.named = dict(network.named_parameters())
        self.dtype = str(next(network.parameters()).dtype).removeprefix("torch.")
        self.run: Any = nn.parallel.DistributedDataParallel(network) if distributed else network
        self.parallel: Any = self.run if distributed else None
        self.compiled = compile
        if compile:
            self.run = torch.compile(self.run, backend="inductor" if compile is True else compile)
        self.torch_optimizer = _torch_optimizer(optimizer, network)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=precision == "float16")

    # --- running ----------------------------------------------------------------------------------

    def step(
        self,
        x: np.ndarray,
        labels: np.ndarray,
        draws: Draws | None,
        rate: float,
        chance: tuple[int, ...],
        when: tuple[int, int],
    ) -> tuple[float, int]:
        """One update on a batch; see :meth:`cnnlib.training.numpy_trainer.NumpyTrainer.step`."""
        self.network.train()
        self.torch_optimizer.zero_grad()
        torch.manual_seed(_number((*chance, self.rank)))
        shares = np.array_split(np.arange(len(x)), self.world)[self.rank]
        parts = [part for part in np.array_split(shares, self.accumulate) if len(part)]
        loss, right = 0.0, 0
        for i, part in enumerate(parts):
            images = self.given(x[part])
            if draws:
                images = augment(images, Draws(draws.flips[part], draws.moves[part]))
                images = self._laid_out(images)
            target = torch.from_numpy(labels[part]).to(self.device)
            waits = self.parallel is not None and i < len(parts) - 1
            with self.parallel.no_sync() if waits else contextlib.nullcontext():
                with self._cast():
                    out = self.run(images)
                    value = functional.cross_entropy(out, target, reduction="sum") / len(x)
                if not bool(value.isfinite()) and self.parallel is None:
                    with torch.no_grad(), self._cast():
                        raise bad_loss(self.network, images, float(value), when, rate)
                scaled: Tensor = self.scaler.scale(value * self.world)
                scaled.backward()
            loss += float(value.detach())
            right += int((out.detach().argmax(1) == target).sum())
        self._check_gradients(loss, when, rate)
        for group in self.torch_optimizer.param_groups:
            group["lr"] = rate
        self.scaler.step(self.torch_optimizer)
        self.scaler.update()
        loss, total_right = self.totals(loss, right)
        return loss, int(total_right)

    def _check_gradients(self, loss: float, when: tuple[int, int], rate: float) -> None:
        """After the exchange all processes hold the same gradients, so all of them stop together."""
        if self.scaler.is_enabled():  # an overflow is its business: it leaves the step out
            return
        finite = {
            name: p.grad.isfinite().all() for name, p in self.named.items() if p.grad is not None
        }
        if not bool(torch.stack(list(finite.values())).all()):
            flags = {name: bool(value) for name, value in finite.items()}
            raise bad_gradient(self.network, flags, loss, when, rate)

    @torch.no_grad()
    def evaluate(self, x: np.ndarray, labels: np.ndarray) -> tuple[float, int]:
        """Sum of the losses over the images, and how many are right; in evaluation mode."""
        mine = np.array_split(np.arange(len(x)), self.world)[self.rank]
        loss, right = 0.0, 0
        if len(mine):
            target = torch.from_numpy(labels[mine]).to(self.device)
            with self._cast():
                out = self.network.eval()(self.given(x[mine]))
                loss = float(functional.cross_entropy(out, target, reduction="sum"))
            right = int((out.argmax(1) == target).sum())
        loss_sum, total_right = self.totals(loss, right)
        return loss_sum, int(total_right)

    @torch.no_grad()
    def agree(self) -> None:
        """Let all processes have the first one's running statistics."""
        if self.world > 1:
            for buffer in self.network.buffers():
                distributed.broadcast(buffer, 0)

    def totals(self, *values: float) -> tuple[float, ...]:
        """Sums over all processes."""
        if self.world == 1:
            return values
        sums = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.all_reduce(sums)
        return tuple(sums.tolist())

    def given(self, x: np.ndarray) -> Tensor:
        """Images as the network takes them."""
        return self._laid_out(torch.from_numpy(x).to(self.device))

    def _laid_out(self, x: Tensor) -> Tensor:
        return x.contiguous(memory_format=self.layout) if x.dim() == 4 else x

    def _cast(self) -> contextlib.AbstractContextManager:
        if self.autocast is None:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, self.autocast)

    # --- state ------------------------------------------------------------------------------------

    def arrays(self) -> dict[str, np.ndarray]:
        """The state of torch's optimizer, by name: ``conv1.weight/exp_avg`` and so on."""
        return {
            f"{name}/{key}": np.array(value.numpy(force=True), order="C")
            for name, parameter in self.named.items()
            for key, value in self.torch_optimizer.state.get(parameter, {}).items()
            if isinstance(value, Tensor)
        }

    def load(self, arrays: dict[str, np.ndarray], extra: dict[str, Any]) -> None:
        """Take over what :meth:`arrays` and :meth:`extra` gave."""
        states: dict[int, dict[str, Tensor]] = {}
        for i, name in enumerate(self.named):
            found = {k.rpartition("/")[2]: v for k, v in arrays.items() if k.startswith(f"{name}/")}
            if found:
                states[i] = {key: torch.from_numpy(np.array(v)) for key, v in found.items()}
        groups = self.torch_optimizer.state_dict()["param_groups"]
        self.torch_optimizer.load_state_dict({"state": states, "param_groups": groups})
        if scaler := extra.get("scaler"):
            self.scaler.load_state_dict(scaler)

    def extra(self) -> dict[str, Any]:
        """The scale of the loss in float16."""
        return {"scaler": self.scaler.state_dict()} if self.scaler.is_enabled() else {}

    def describe(self) -> dict[str, Any]:
        """What of the backend bears on the result, for checkpoints and records."""
        return {
            "backend": "torch",
            "dtype": self.dtype,
            "device": self.device.type,
            "precision": self.precision,
            "channels_last": self.layout is torch.channels_last,
            "compile": self.compiled,
            "accumulate": self.accumulate,
            "processes": self.world,
        }

    def __enter__(self) -> "TorchTrainer":
        cards = [self.device] if self.device.type == "cuda" else []
        self._chance = torch.random.fork_rng(
            devices=cards
        )  # the caller's own chance goes on as it was
        self._chance.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._chance.__exit__(*error)
        self.network.train()
        if self.own_group:
            distributed.destroy_process_group()


def _torch_optimizer(optimizer: Optimizer, network: Network) -> torch.optim.Optimizer:
    if isinstance(optimizer, SGD):
        return torch.optim.SGD(
            network.parameters(),
            lr=optimizer.learning_rate,
            momentum=optimizer.momentum,
            weight_decay=optimizer.weight_decay,
            nesterov=optimizer.nesterov,
        )
    return torch.optim.Adam(
        network.parameters(),
        lr=optimizer.learning_rate,
        betas=(float(optimizer.beta1), float(optimizer.beta2)),
        eps=optimizer.eps,
        weight_decay=optimizer.weight_decay,
    )


def _number(chance: tuple[int, ...]) -> int:
    """One seed for torch from several numbers."""
    return int(np.random.SeedSequence(chance).generate_state(1, np.uint64)[0] >> 1)


def _join(device: str) -> bool:
    """Enter the group of processes that torchrun made; whether it was this call that did."""
    if distributed.is_initialized():
        return False
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        raise RangeError(
            "distributed=True in a process that has no RANK and no WORLD_SIZE: such a training is "
            "started by torchrun --nproc-per-node 2 -m cnnlib.training …; leave distributed out "
            "to train in this process alone."
        )
    cards = device in ("auto", "cuda") and torch.cuda.is_available()
    if cards:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
    distributed.init_process_group("nccl" if cards else "gloo")
    return True


def _place() -> tuple[int, int]:
    return distributed.get_rank(), distributed.get_world_size()
