"""Random networks with fixed seeds, as genomes with stimuli.

    networks.py DIR [NAME…]

writes NAME.genome.json with its tensors NAME.npz, NAME.calibrate.npz and NAME.measure.npz.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from builder import INPUT, Builder, write_genome

SAMPLES = 200
"""Samples of each stimulus; users may take fewer."""


def recurrent() -> Builder:
    """Three layers of 128 with lateral and backward projections, delays of 1 to 5 steps."""
    b = Builder("recurrent", seed=1, steps=40, inputs=64)
    for name, decay in (("a", 0.5), ("b", 0.4), ("c", 0.6)):
        b.population(name, 128, rate=0.06, decay=decay)
    b.connect(INPUT, "a")
    b.connect("a", "b")
    b.connect(INPUT, "b", delay=2, gain=0.7)
    b.connect("b", "c", delay=2)
    b.connect(INPUT, "c", delay=3, gain=0.7)
    b.connect("a", "a", delay=2, gain=0.2)
    b.connect("b", "b", delay=1, gain=0.2)
    b.connect("c", "c", delay=5, gain=0.2)
    b.connect("b", "a", delay=3, gain=0.15)
    b.connect("c", "b", delay=4, gain=0.15)
    b.readout(("c", 1))
    return b


def deep() -> Builder:
    """Eight layers; each reads the one before, and the input, in the same step."""
    b = Builder("deep", seed=2, steps=32, inputs=64)
    source = INPUT
    for i in range(8):
        layer = b.population(f"l{i + 1}", 128, rate=0.06, decay=0.7)
        b.connect(source, layer, delay=0)
        if i > 0:
            b.connect(INPUT, layer, delay=0)
        source = layer
    b.readout((source, 0))
    return b


def heterogeneous() -> Builder:
    """Every neuron with a leak and a threshold of its own, and weights of its own magnitude."""
    b = Builder("heterogeneous", seed=3, steps=40, inputs=64)
    source = INPUT
    for name in ("a", "b", "c"):
        decay = b.rng.uniform(0.1, 0.9, 128)
        layer = b.population(name, 128, rate=0.08, decay=decay, spread=0.3)
        rows = np.exp(0.7 * b.rng.standard_normal(128))
        b.connect(source, layer, rows=rows)
        b.connect(layer, layer, delay=3, gain=0.2, rows=rows)
        source = layer
    b.readout((source, 1))
    return b


def skip() -> Builder:
    """Parallel paths of unlike strength and delay into the same neurons."""
    b = Builder("skip", seed=4, steps=40, inputs=64)
    for name, decay in (("a", 0.4), ("b", 0.2), ("c", 0.6), ("d", 0.3)):
        b.population(name, 96, rate=0.06, decay=decay)
    b.connect(INPUT, "a")
    b.connect(INPUT, "b", delay=2, gain=0.5)
    b.connect("a", "c")
    b.connect("b", "c", delay=4, gain=0.25)
    b.connect("a", "d", delay=6, gain=0.3)
    b.connect("b", "d", gain=0.6)
    b.connect("c", "d")
    b.connect(INPUT, "d", delay=3, gain=0.1)
    b.readout(("d", 1), ("a", 2))
    return b


def integrate() -> Builder:
    """No leak at all: errors of the membrane stay until the next spike. With biases."""
    b = Builder("integrate", seed=5, steps=32, inputs=64)
    source = INPUT
    for name in ("a", "b", "c"):
        layer = b.population(name, 128, rate=0.08, decay=0.0, bias=0.05 * b.rng.random(128))
        b.connect(source, layer, mean=0.2)
        if name != "a":
            b.connect(INPUT, layer, mean=0.2)
        source = layer
    b.readout((source, 1))
    return b


def tailed() -> Builder:
    """Sparse weights with log-normal magnitudes: few strong synapses stretch every common scale."""
    b = Builder("tailed", seed=6, steps=40, inputs=64)
    source = INPUT
    for name in ("a", "b", "c"):
        layer = b.population(name, 160, rate=0.06, decay=0.3)
        b.connect(source, layer, density=0.3, tail=1.0)
        b.connect(layer, layer, delay=2, density=0.1, gain=0.3, tail=1.0)
        source = layer
    b.readout((source, 1))
    return b


def layers12() -> Builder:
    """Twelve layers of 384 neurons near a rate of 5 %, one after the other, with slow leaks.
    Weights have the spread of PyTorch's default initialization (uniform within ±1 / sqrt(n)),
    thresholds are what the rate asks for: each weight is a small part of them."""
    b = Builder("layers12", seed=7, steps=64, inputs=128, spread=3**-0.5)
    source = INPUT
    for i in range(12):
        layer = b.population(f"l{i + 1}", 384, rate=0.05, decay=0.02)
        b.connect(source, layer)
        source = layer
    b.readout((source, 1), rate=0.1)
    return b


_ALL = (recurrent, deep, heterogeneous, skip, integrate, tailed, layers12)
RECIPES: dict[str, Callable[[], Builder]] = {f.__name__: f for f in _ALL}


def write(name: str, folder: Path, samples: int = SAMPLES) -> None:
    """Builds, tunes and writes a network and its stimuli."""
    builder = RECIPES[name]()
    builder.tune()
    write_genome(builder.network(), folder / f"{name}.genome.json")
    for part, seed in (("calibrate", 101), ("measure", 202)):
        spikes, _ = builder.events(samples, seed)
        np.savez_compressed(folder / f"{name}.{part}.npz", spikes=spikes)


def main() -> None:
    """Command line."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or RECIPES:
        write(name, folder)


if __name__ == "__main__":
    main()
