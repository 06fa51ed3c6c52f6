"""Float networks under construction: tuning of thresholds, and the genome and stimulus files."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

from model import FloatNetwork, FloatNeurons, Projection
from simulate import run_float

CLASSES = 10
INPUT = "in"
OUTPUT = "out"
TUNING_SAMPLES = 16
TRAINING_SAMPLES = 300
RIDGE = 100.0
CONTRAST = 0.8


class Builder:
    """Collects populations and projections; the input is the population `in`, the readout `out`."""

    def __init__(self, name: str, seed: int, steps: int, inputs: int, spread: float = 0.0) -> None:
        """`spread` > 0: see `_rescale`."""
        self.name, self.steps, self.spread = name, steps, spread
        self.rng = np.random.default_rng(seed)
        self.inputs = {INPUT: inputs}
        self.neurons: dict[str, FloatNeurons] = {}
        self.projections: list[Projection] = []
        self.rates: dict[str, float] = {}

    def population(
        self,
        name: str,
        size: int,
        rate: float,
        decay: float | np.ndarray,
        bias: float | np.ndarray = 0.0,
        spread: float = 0.0,
    ) -> str:
        """Neurons that are tuned to `rate` spikes a step; `spread` is the log-normal spread of
        their thresholds around 1. Returns the name."""
        threshold = np.exp(spread * self.rng.standard_normal(size))
        arrays = (np.broadcast_to(x, size).astype(np.float32) for x in (decay, threshold, bias))
        self.neurons[name] = FloatNeurons(*arrays)
        self.rates[name] = rate
        return name

    def connect(
        self,
        source: str,
        target: str,
        delay: int = 1,
        gain: float = 1.0,
        mean: float = 0.0,
        density: float = 1.0,
        tail: float = 0.0,
        rows: np.ndarray | float = 1.0,
    ) -> None:
        """Random weights of standard deviation `gain / sqrt(synapses of a neuron)` around `mean`
        times that. `tail` > 0 spreads magnitudes log-normally, `rows` scales neuron by neuron."""
        sources = self.inputs.get(source) or len(self.neurons[source].decay)
        targets = len(self.neurons[target].decay)
        w = self.rng.standard_normal((targets, sources))
        if tail > 0:
            w = np.sign(w) * np.exp(tail * self.rng.standard_normal(w.shape))
            w /= w.std()
        w = (w + mean) * (self.rng.random(w.shape) < density)
        w *= gain / np.sqrt(density * sources) * np.reshape(rows, (-1, 1))
        self.projections.append(Projection(source, target, delay, w.astype(np.float32)))

    def readout(self, *reads: tuple[str, int], rate: float = 0.2, decay: float = 0.05) -> None:
        """The population `out`, which reads these populations with these delays; its weights come
        from `tune`."""
        self.population(OUTPUT, CLASSES, rate, decay)
        for source, delay in reads:
            self.connect(source, OUTPUT, delay)

    def network(self) -> FloatNetwork:
        """The network as it stands."""
        head = self.name, self.steps, self.inputs
        return FloatNetwork(*head, self.neurons, self.projections, OUTPUT)

    def tune(self) -> None:
        """Scales the weights and biases of each population until it fires at its rate. Thresholds
        stay around 1, the convention of SLAYER, whose grid is fixed. Then the readout learns to
        tell the patterns of `events` apart, so that predictions have margins as those of a trained
        network."""
        inputs, _ = self.events(TUNING_SAMPLES, seed=99)
        self._bisect(inputs, [name for name in self.neurons if name != OUTPUT])
        self._train()
        self._bisect(inputs, [OUTPUT])
        if self.spread > 0:
            self._rescale()

    def _train(self) -> None:
        """Ridge regression of the pattern on the spike counts that the readout reads."""
        inputs, patterns = self.events(TRAINING_SAMPLES, seed=98)
        spikes = run_float(self.network(), {INPUT: inputs})
        reads = [p for p in self.projections if p.target == OUTPUT]
        counts = np.concatenate([spikes[p.source].sum(axis=1) for p in reads], axis=1)
        features = np.column_stack([counts, np.ones(len(counts))]).astype(np.float64)
        wanted = np.eye(CLASSES)[patterns]
        moments = features.T @ features + RIDGE * np.eye(features.shape[1])
        weights = np.linalg.solve(moments, features.T @ wanted)[:-1].T
        first = 0
        for i, p in enumerate(self.projections):
            if p.target == OUTPUT:
                columns = weights[:, first : first + p.weights.shape[1]].astype(np.float32)
                self.projections[i] = dataclasses.replace(p, weights=columns)
                first += p.weights.shape[1]

    def _bisect(self, inputs: np.ndarray, names: list[str]) -> None:
        step = dict.fromkeys(names, 1.0)
        last = dict.fromkeys(names, 0.0)
        for _ in range(24):
            spikes = run_float(self.network(), {INPUT: inputs})
            for name in names:
                sign = 1.0 if spikes[name].mean() < self.rates[name] else -1.0
                step[name] *= 0.5 if last[name] == -sign else 1.0
                last[name] = sign
                self._scale(name, float(np.exp(sign * step[name])))

    def _rescale(self) -> None:
        """Gives the weights of every layer the standard deviation `spread / sqrt(n)`, and
        thresholds in proportion: the same network in other units."""
        for name, n in self.neurons.items():
            (first, *_) = [p.weights for p in self.projections if p.target == name]
            factor = self.spread / np.sqrt(first.shape[1]) / float(first.std())
            self.neurons[name] = dataclasses.replace(n, threshold=n.threshold * np.float32(factor))
            self._scale(name, factor)

    def _scale(self, name: str, factor: float) -> None:
        by = np.float32(factor)
        n = self.neurons[name]
        self.neurons[name] = dataclasses.replace(n, bias=n.bias * by)
        self.projections = [
            dataclasses.replace(p, weights=p.weights * by) if p.target == name else p
            for p in self.projections
        ]

    def events(self, samples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Bernoulli spikes `[samples, steps, inputs]`, u8, and the pattern of each sample. A sample
        is one of ten patterns of rates, which are a common one times factors `2^N(0, CONTRAST)`,
        with each rate disturbed by a factor between 1/2 and 2. Patterns depend on the sizes alone,
        not on `seed`."""
        size = self.inputs[INPUT]
        fixed = np.random.default_rng([size, self.steps])
        common = fixed.random(size) ** 3 * 0.4
        patterns = common * 2 ** fixed.normal(0, CONTRAST, (CLASSES, size))
        rng = np.random.default_rng(seed)
        chosen = rng.integers(0, CLASSES, samples)
        rates = np.minimum(patterns[chosen] * 2 ** rng.uniform(-1, 1, (samples, size)), 0.9)
        spikes = rng.random((samples, self.steps, size)) < rates[:, None]
        return spikes.astype(np.uint8), chosen


def _values(values: np.ndarray, tensor: str, tensors: dict[str, np.ndarray]) -> Any:
    """A number if all values are the same, else a tensor."""
    if (values == values[0]).all():
        return float(values[0])
    tensors[tensor] = values.astype(np.float32)
    return {"tensor": tensor}


def write_genome(network: FloatNetwork, path: Path) -> None:
    """Writes the genome at `path` and its tensors beside it."""
    tensors: dict[str, np.ndarray] = {}
    models: dict[str, Any] = {}
    nodes: list[dict[str, Any]] = [{"id": INPUT, "op": "input"}]
    for name, n in network.neurons.items():
        model: dict[str, Any] = {"model": "if"}
        if n.decay.any():
            model = {"model": "lif", "decay": _values(n.decay, f"{name}.decay", tensors)}
        model["threshold"] = _values(n.threshold, f"{name}.threshold", tensors)
        reset = {"kind": "to", "value": 0.0}
        models[name] = model | {"compare": "gt", "reset": reset, "v_init": 0.0}
        terms = []
        for i, projection in enumerate(network.into(name)):
            term = f"{projection.source}_{name}_{i}"
            tensors[f"{term}.weight"] = projection.weights.astype(np.float32)
            read = {"node": projection.source, "delay": projection.delay}
            node = {"id": term, "op": "linear", "in": [read], "weight": {"dense": f"{term}.weight"}}
            if i == 0 and n.bias.any():
                tensors[f"{term}.bias"] = n.bias.astype(np.float32)
                node["bias"] = {"dense": f"{term}.bias"}
            nodes.append(node)
            terms.append(term)
        nodes.append({"id": f"{name}_current", "op": "add", "in": terms})
        nodes.append({"id": name, "op": "neuron", "in": [f"{name}_current"], "neuron": name})
    file = f"{network.name}.npz"
    np.savez(path.parent / file, **tensors)
    genome = {
        "format": "snnc-genome",
        "version": "1.0",
        "kind": "gee",
        "name": network.name,
        "time": {"steps": network.steps, "order": "step_major"},
        "input": {"coding": "events", "shape": [network.inputs[INPUT]]},
        "readout": {"kind": "spike_count", "node": network.readout, "classes": CLASSES},
        "neurons": models,
        "tensors": {"file": file, "format": "npz"},
        "nodes": nodes,
    }
    path.write_text(json.dumps(genome, indent=1))
