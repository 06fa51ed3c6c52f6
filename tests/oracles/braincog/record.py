"""Records a case: draws networks until one is safe to compare with, then writes its three files."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

import cases
import draw
import networks
import storage
from cases import Case
from shims import COMMIT

# No potential may come closer to its threshold than this: float32 rounds sums of these networks by
# less than 3e-6, so the order in which somebody adds cannot decide a spike.
MARGIN = 1e-5
RATES = (0.005, 0.985)
ATTEMPTS = 400


def shape_of(genome: dict[str, Any]) -> tuple[int, ...]:
    """The shape of one sample: events carry the step first."""
    shape = tuple(genome["input"]["shape"])
    return (genome["time"]["steps"], *shape) if genome["input"]["coding"] == "events" else shape


def vary(case: Case, rng: np.random.Generator, net: torch.nn.Module, bc: SimpleNamespace) -> None:
    """Gives each population the neuron parameters that a state dict can hold."""
    plain = case.name.endswith("1_plif")
    for node in (node for node in net.modules() if isinstance(node, bc.node.BaseNode)):
        if case.neuron == "plif":
            # The initial w of tau = 2 is -0.0.
            node.w.data.fill_(0.0 if plain else float(rng.uniform(-0.8, 0.8)))
        if case.thresholds:
            node.set_n_threshold(float(rng.uniform(0.3, 0.8)))


def refusal(run: networks.Run, other: networks.Run, distance: float) -> str:
    """Why a drawn network is not fit for a fixture, or nothing."""
    if distance < MARGIN:
        return "margin"
    if any((run.spikes[name] != other.spikes[name]).any() for name in run.spikes):
        return "float64 differs"
    for name, values in run.spikes.items():
        fires = (run.potentials[name] > 0).any()
        if fires and not RATES[0] < values.mean() < RATES[1]:
            return "rate"
    return ""


def attempt(bc: SimpleNamespace, case: Case, seed: int) -> tuple[str, Any]:
    """Draws one network and its input; the reason to refuse it, and what to write."""
    rng = np.random.default_rng(seed)
    genome = cases.genome(case, seed, rng, bc.root)
    net = networks.build(bc, genome)
    vary(case, rng, net, bc)
    shape = shape_of(genome)
    events = genome["input"]["coding"] == "events"
    draw.draw(rng, net, shape, events, case.signs == "respected")
    sample = draw.inputs_like(rng, shape, events)
    wide = networks.build(bc, genome)
    networks.load_state(wide, networks.state(net))
    run = networks.Run(net, networks.Watch(bc, net), sample)
    wide.double()
    other = networks.Run(wide, networks.Watch(bc, wide), sample)
    distance = networks.margin(net, run)
    error = max(float(np.abs(h - other.potentials[name]).max()) for name, h in run.potentials.items())
    meta = {
        "seed": seed,
        "margin": distance,
        "float64_error": error,
        "braincog": COMMIT,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "populations": {
            name: {"shape": list(values.shape[1:]), "rate": round(float(values.mean()), 4)}
            for name, values in run.spikes.items()
        },
        "never_executed": run.idle,
    }
    return refusal(run, other, distance), (genome, networks.state(net), sample, run, meta)


def pack(spikes: np.ndarray) -> np.ndarray:
    """`[steps, C, H, W]` of 0 and 1 as `[steps, bytes]`, the first neuron in the lowest bit."""
    return np.packbits(spikes.reshape(len(spikes), -1).astype(np.uint8), axis=1, bitorder="little")


def trace(sample: np.ndarray, run: networks.Run) -> storage.Arrays:
    """The arrays of a trace file."""
    packed = {name: pack(values) for name, values in run.spikes.items()}
    return {"input": sample, **packed, "logits": run.logits}


def record(bc: SimpleNamespace, case: Case, folder: Path) -> str:
    """Writes the files of `case` and returns one line about them."""
    first = zlib.crc32(case.name.encode()) % 100_000 * 1000
    refused: dict[str, int] = {}
    for seed in range(first, first + ATTEMPTS):
        reason, drawn = attempt(bc, case, seed)
        if not reason:
            break
        refused[reason] = refused.get(reason, 0) + 1
    else:
        raise SystemExit(f"{case.name}: no fit network in {ATTEMPTS} attempts: {refused}")
    genome, state, sample, run, meta = drawn
    storage.write_genome(folder / f"{case.name}.genome.json", genome)
    storage.write_safetensors(folder / f"{case.name}.safetensors", state)
    storage.write_npz(folder / f"{case.name}.trace.npz", trace(sample, run), meta)
    rates = [entry["rate"] for entry in meta["populations"].values()]
    silent = sum(rate == 0 for rate in rates)
    return (
        f"{case.name}: {len(rates)} populations, {silent} silent, rates {min(rates)}..{max(rates)}, "
        f"margin {meta['margin']:.1e}, float64 within {meta['float64_error']:.1e}, refused {refused}"
    )


def audit(bc: SimpleNamespace, path: Path) -> list[str]:
    """Runs BrainCog on a shipped genome, weights and input; the differences from the shipped trace."""
    genome = json.loads(path.read_text())
    name = genome["name"]
    arrays, meta = storage.read_npz(path.with_name(f"{name}.trace.npz"))
    net = networks.build(bc, genome)
    networks.load_state(net, storage.read_safetensors(path.with_name(genome["tensors"]["file"])))
    run = networks.Run(net, networks.Watch(bc, net), arrays["input"])
    ours = trace(arrays["input"], run)
    found = [f"{name}: {key} only on one side" for key in sorted(ours.keys() ^ arrays.keys())]
    for key in run.spikes:
        if key in arrays and not np.array_equal(ours[key], arrays[key]):
            found.append(f"{name}: spikes of {key} differ")
        if meta["populations"].get(key, {}).get("shape") != list(run.spikes[key].shape[1:]):
            found.append(f"{name}: shape of {key} differs")
    if not np.allclose(run.logits, arrays["logits"], rtol=1e-5, atol=1e-6):
        found.append(f"{name}: logits differ")
    if networks.margin(net, run) < MARGIN / 2:
        found.append(f"{name}: a potential is too close to its threshold")
    return found
