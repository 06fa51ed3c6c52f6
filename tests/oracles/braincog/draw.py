"""Draws random weights under which most populations of a network fire, but not always.

All random numbers come from one numpy generator. The running statistics of each batch norm are
measured on random inputs, as training would measure them, then disturbed, so that every fold of a
batch norm has something to do. With `signs="respected"` the folded weights and biases of an
excitatory edge are all >= 0, of an inhibitory edge <= 0, so that its clip never acts.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

Sign = int
PASSES = 4
SAMPLES = 8


def edge_signs(net: nn.Module) -> dict[nn.Module, Sign]:
    """For each batch norm the sign its edge clips to: 1, -1, or 0 for none."""
    signs: dict[nn.Module, Sign] = {}
    for module in net.modules():
        for child in module.modules():
            if isinstance(child, nn.BatchNorm2d) and hasattr(module, "positive"):
                signs[child] = module.positive
    return signs


class Statistics:
    """Sets the statistics of one batch norm from what it reads, disturbed by fixed random factors."""

    def __init__(self, rng: np.random.Generator, norm: nn.BatchNorm2d, sign: Sign, dale: bool) -> None:
        count = norm.num_features
        self.dale = dale and sign != 0
        self.sign = sign
        self.live = False
        self.shift = rng.normal(0.0, 0.3, count)
        self.spread = rng.uniform(0.6, 1.6, count)
        flip = np.where(rng.random(count) < 0.2, -1.0, 1.0)
        if self.dale:
            self.gain = rng.uniform(0.6, 1.4, count)
            self.floor = rng.uniform(0.02, 0.1, count)
            self.level = rng.uniform(0.1, 0.35, count)
        else:
            clipped = sign != 0
            self.gain = flip * rng.uniform(0.4, 1.0, count) * (1.0 if clipped else 1.3)
            self.offset = rng.uniform(-0.3, 0.3, count) if clipped else rng.uniform(-0.1, 0.6, count)
        norm.register_forward_pre_hook(self.measure)

    def measure(self, norm: nn.BatchNorm2d, inputs: tuple[torch.Tensor, ...]) -> None:
        if not self.live:
            return
        read = inputs[0].double().transpose(0, 1).flatten(1).numpy()
        mean, deviation = read.mean(1), read.std(1)
        if self.dale:
            deviation = np.maximum(np.abs(mean), 0.05) * self.gain / self.level
            center = mean * np.abs(self.shift)
            offset = self.gain * center / deviation + self.sign * self.floor
        else:
            deviation = np.maximum(deviation, 0.2) * np.sqrt(self.spread)
            center = mean + self.shift * deviation
            offset = self.offset
        for target, values in (
            (norm.running_mean, center),
            (norm.running_var, deviation**2),
            (norm.weight, self.gain),
            (norm.bias, offset),
        ):
            target.copy_(torch.tensor(values))


def inputs_like(rng: np.random.Generator, shape: tuple[int, ...], events: bool) -> np.ndarray:
    """Events of density 0.3, or an image of standard normal pixels."""
    if events:
        return (rng.random(shape) < 0.3).astype(np.uint8)
    return rng.standard_normal(shape).astype(np.float32)


def draw(rng: np.random.Generator, net: nn.Module, shape: tuple[int, ...], events: bool, dale: bool) -> None:
    """Replaces every weight of `net`; `shape` is that of one sample."""
    signs = edge_signs(net)
    statistics = []
    with torch.no_grad():
        for name, module in net.named_modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                values = rng.standard_normal(module.weight.shape) / np.sqrt(module.weight[0].numel())
                module.weight.copy_(torch.tensor(values))
                if module.bias is not None:
                    module.bias.copy_(torch.tensor(rng.normal(0.0, 0.1, module.bias.shape)))
            if isinstance(module, nn.BatchNorm2d):
                statistics.append(Statistics(rng, module, signs.get(module, 0), dale))
                module.num_batches_tracked.fill_(PASSES)
        if dale:
            respect_signs(net)
        batch = inputs_like(rng, (SAMPLES, *shape), events)
        steps = net.step
        for _ in range(PASSES):
            calibrate(net, torch.tensor(batch).float(), steps, statistics)


def respect_signs(net: nn.Module) -> None:
    """Gives the convolution of every clipped edge weights of its sign."""
    for module in net.modules():
        if getattr(module, "positive", 0) != 0:
            for child in module.modules():
                if isinstance(child, nn.Conv2d):
                    child.weight.copy_(child.weight.abs() * module.positive)


def calibrate(net: nn.Module, batch: torch.Tensor, steps: int, statistics: list[Statistics]) -> None:
    """Runs `batch` once; the statistics are measured in the last step, when activity has settled."""
    done = 0

    def count(*_: object) -> None:
        nonlocal done
        done += 1
        for entry in statistics:
            entry.live = done == steps

    hook = net.stem.register_forward_pre_hook(count)
    net(batch)
    hook.remove()
    for entry in statistics:
        entry.live = False
