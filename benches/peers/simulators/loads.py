"""Workloads as `snnc bench --write` writes them, and what they spike by their definition."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

# `v ← 15/16 · v + input + bias`; fires above the threshold; resets to 0.
DECAY = 15 / 16
THRESHOLD = 1 + 2**-10

# The membrane of an integer network counts this; its weights count 2⁻⁸.
UNIT = 2**-14
GRID = 2**-8

# Convolutions of W2: channels, rows and columns that they read. Their outputs have the same rows and columns.
CONVOLUTIONS = [(2, 34, 34), (8, 17, 17)]


@dataclass
class Layers:
    """A feed-forward network, its input `[samples, steps, neurons]` in {0, 1}, weights and biases by layer."""

    name: str
    input: np.ndarray
    weights: list
    biases: list

    def convolutions(self):
        """What the layers read that are convolutions: every one after the first through an average of 2×2."""
        return [shape for shape, weight in zip(CONVOLUTIONS, self.weights) if weight.ndim == 4]


@dataclass
class Recurrent:
    """A recurrent network without inputs; every spike arrives one step later. Synapses are sorted by source."""

    name: str
    steps: int
    start: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    bias: np.ndarray

    @property
    def neurons(self):
        return len(self.bias)

    def sources(self):
        return np.repeat(np.arange(self.neurons), np.diff(self.start)).astype(np.int32)


def read(path):
    """A workload from its file."""
    name, arrays = Path(path).stem, np.load(path)
    if "input" not in arrays:
        return recurrent(name, arrays)
    tensors = [arrays[f"t{index}"] for index in range(len(arrays.files) - 1)]
    weights = [tensor for tensor in tensors if tensor.ndim > 1]
    biases = [tensor for tensor in tensors if tensor.ndim == 1] or [None] * len(weights)
    return Layers(name, arrays["input"], weights, biases)


def recurrent(name, arrays):
    if int(arrays["threshold"][0]) * UNIT != THRESHOLD:
        raise SystemExit(f"{name}: another threshold than {THRESHOLD}")
    rows = np.repeat(np.arange(len(arrays["bias"]), dtype=np.int32), np.diff(arrays["row_start"]))
    order = np.argsort(arrays["col"], kind="stable")
    counts = np.bincount(arrays["col"], minlength=len(arrays["bias"]))
    return Recurrent(
        name,
        int(arrays["steps"][0]),
        np.concatenate([[0], np.cumsum(counts)]),
        rows[order],
        (arrays["weight"][order] * GRID).astype(np.float32),
        (arrays["bias"] * UNIT).astype(np.float32),
    )


def leak(v, truncated):
    """What is left of a membrane after a step; `truncated`: as the integer network rounds it."""
    return np.trunc(v * DECAY / UNIT) * UNIT if truncated else v * DECAY


def spikes(load, truncated=False, dtype=np.float64):
    """Spikes of a recurrent network, by the definition."""
    v = np.zeros(load.neurons, dtype)
    arriving, total = np.zeros(load.neurons, dtype), 0
    for _ in range(load.steps):
        v = leak(v, truncated).astype(dtype) + arriving.astype(dtype) + load.bias.astype(dtype)
        fires = v > THRESHOLD
        v[fires] = 0
        total += int(fires.sum())
        synapses = np.concatenate([np.arange(load.start[s], load.start[s + 1]) for s in np.flatnonzero(fires)] or [[]])
        synapses = synapses.astype(np.int64)
        arriving = np.bincount(load.target[synapses], load.weight[synapses], load.neurons)
    return total


def unrolled(load):
    """Synapses of every layer of a feed-forward network, for those that know no other kind: neurons, sources, targets and weights
    of each. An average of 2×2 is a quarter of each of four weights."""
    found = []
    for index, weight in enumerate(load.weights):
        if weight.ndim == 2:
            targets, sources = np.nonzero(np.ones_like(weight, dtype=bool))
            found.append((len(weight), sources, targets, weight.ravel()))
            continue
        inputs, rows, columns = CONVOLUTIONS[index]
        pooled = index > 0
        outputs, _, height, width = weight.shape
        o, c, y, x, ky, kx = np.meshgrid(*map(np.arange, (outputs, inputs, rows, columns, height, width)), indexing="ij")
        sy, sx = y + ky - height // 2, x + kx - width // 2
        inside = (sy >= 0) & (sy < rows) & (sx >= 0) & (sx < columns)
        value = weight[o, c, ky, kx][inside]
        target, c, sy, sx = ((o * rows + y) * columns + x)[inside], c[inside], sy[inside], sx[inside]
        if pooled:
            parts = [((c * 2 * rows + 2 * sy + dy) * 2 * columns + 2 * sx + dx) for dy in (0, 1) for dx in (0, 1)]
            source, target, value = np.concatenate(parts), np.tile(target, 4), np.tile(value / 4, 4)
        else:
            source = (c * rows + sy) * columns + sx
        found.append((outputs * rows * columns, source, target, value))
    return found
