"""How far chance decides task (d) of exercise 13: ``python benchmarks/clothes.py``.

Right of 500 for small networks on the clothes of that task (see cnnlib/checks/ch13_rules_of_thumb/clothes.py):
6 epochs on 1,000, batches of 50, Adam at two rates and five seeds each, with rates that fall to 0 along the way
and with constant ones. The table in the exercise and in its check comes from here.
"""

import torch
from torch import nn
from torch.nn import functional

from cnnlib.checks.ch13_rules_of_thumb import train
from cnnlib.checks.ch13_rules_of_thumb.clothes import clothes
from cnnlib.diagram import build

STAGES = "CONV(16) => RELU => BN => POOL => CONV(32) => RELU => BN"
NETWORKS = {
    "a linear classifier": "FC(10)",
    "one hidden layer of 128 units": "FC(128) => RELU => FC(10)",
    "the solution": f"{STAGES} => GAP => FC(10)",
    "with a third CONV": f"{STAGES} => CONV(32) => RELU => BN => GAP => FC(10)",
}
BATCH = 50


def right(text: str, seed: int, rate: float, falls: bool) -> int:
    images, labels, test_images, test_labels = clothes()
    torch.manual_seed(seed)
    network = build(f"INPUT(1) => {text}", images.shape[1:], backend="torch", seed=seed)
    optimizer = torch.optim.Adam(network.parameters(), rate)
    steps = train.EPOCHS * -(-len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0 if falls else 1, total_iters=steps)
    x, y = torch.from_numpy(images), torch.from_numpy(labels)
    for _ in range(train.EPOCHS):
        for chosen in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            functional.cross_entropy(network(x[chosen]), y[chosen]).backward()
            optimizer.step()
            schedule.step()
    with torch.no_grad():
        scores = network.eval()(torch.from_numpy(test_images))
    return int((scores.argmax(1).numpy() == test_labels).sum())


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def main() -> None:
    torch.set_num_threads(1)
    print(f"{'network':<32}{'parameters':>12}{'rates fall':>14}{'constant':>14}")
    for name, text in NETWORKS.items():
        ranges = []
        for falls in (True, False):
            found = [right(text, seed, rate, falls) for rate in (0.01, 0.02) for seed in range(5)]
            ranges.append(f"{min(found)} to {max(found)}")
        size = parameters(build(f"INPUT(1) => {text}", (1, 14, 14), backend="torch"))
        print(f"{name:<32}{size:>12,}{ranges[0]:>14}{ranges[1]:>14}", flush=True)


if __name__ == "__main__":
    main()
