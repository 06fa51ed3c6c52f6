"""Records BrainCog's neurons one by one on random currents, values exact in float32."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

import storage
from shims import COMMIT

FILE = "nodes.npz"
STEPS, COUNT = 64, 16
CUSTOM = {"a": 0.1, "b": 0.25, "c": -60.0, "d": 8.0}
# name: class, constants, mean and deviation of the currents
NODES: dict[str, tuple[str, dict[str, float], float, float]] = {
    "if": ("IFNode", {"threshold": 0.5}, 0.1, 0.4),
    "if_dt": ("IFNode", {"threshold": 0.75, "dt": 0.5}, 0.3, 0.8),
    "lif_tau2": ("LIFNode", {"threshold": 0.5, "tau": 2.0}, 0.4, 0.6),
    "lif_tau4": ("LIFNode", {"threshold": 0.5, "tau": 4.0}, 0.6, 0.8),
    "lif_tau3": ("LIFNode", {"threshold": 0.5, "tau": 3.0}, 0.5, 0.7),
    "lif_start": ("LIFNode", {"threshold": 0.5, "tau": 2.0, "v_reset": 0.25}, 0.3, 0.6),
    "plif_w0": ("PLIFNode", {"threshold": 1.0, "w": 0.0}, 0.8, 1.0),
    "plif_slow": ("PLIFNode", {"threshold": 1.0, "w": -1.1}, 1.0, 1.5),
    "plif_fast": ("PLIFNode", {"threshold": 1.0, "w": 0.7}, 0.8, 1.0),
    "izhikevich": ("IzhNode", {"threshold": 1.0}, 5.0, 15.0),
    "izhikevich_custom": ("IzhNode", {"threshold": 30.0, **CUSTOM}, 10.0, 12.0),
    "izhikevich_half": ("IzhNode", {"threshold": 30.0, "dt": 0.5}, 10.0, 12.0),
    "burst_lif": ("BurstLIFNode", {"threshold": 0.5, "tau": 2.0}, 1.5, 3.0),
    "burst_lif_tau4": ("BurstLIFNode", {"threshold": 0.5, "tau": 4.0}, 2.5, 4.0),
}


def make(bc: SimpleNamespace, kind: str, constants: dict[str, float]) -> torch.nn.Module:
    """A node as its own class builds it, reset as before each sample."""
    given = dict(constants)
    w = given.pop("w", None)
    node = getattr(bc.node, kind)(**given).eval()
    if w is not None:
        node.w.data.fill_(w)
    node.n_reset()
    return node


def simulate(bc: SimpleNamespace, name: str, current: np.ndarray) -> storage.Arrays:
    """What one node emits, and its state after each step."""
    kind, constants, _, _ = NODES[name]
    node = make(bc, kind, constants)
    series: dict[str, list[np.ndarray]] = {"emitted": [], "v": []}
    if kind == "IzhNode":
        series["u"] = []
    with torch.no_grad():
        for row in torch.tensor(current):
            series["emitted"].append(node(row).numpy().copy())
            series["v"].append(node.mem.numpy().copy())
            if "u" in series:
                series["u"].append(node.u.numpy().copy())
    arrays = {f"{name}.{key}": np.stack(rows) for key, rows in series.items()}
    if kind == "PLIFNode":
        arrays[f"{name}.decay"] = node.w.sigmoid().detach().numpy().reshape(1)
    return arrays


def record(bc: SimpleNamespace, folder: Path) -> str:
    """Writes the traces of all nodes and returns one line about them."""
    rng = np.random.default_rng(64)
    arrays: storage.Arrays = {}
    lines: list[str] = []
    for name, (_, _, mean, deviation) in NODES.items():
        current = rng.normal(mean, deviation, (STEPS, COUNT)).astype(np.float32)
        traced = simulate(bc, name, current)
        arrays.update({f"{name}.current": current, **traced})
        lines.append(f"{name} {float((traced[f'{name}.emitted'] != 0).mean()):.2f}")
    meta: dict[str, Any] = {
        "braincog": COMMIT,
        "torch": torch.__version__,
        "nodes": {name: {"class": kind, **given} for name, (kind, given, _, _) in NODES.items()},
    }
    storage.write_npz(folder / FILE, arrays, meta)
    return "nodes: share of steps with a spike: " + ", ".join(lines)


def audit(bc: SimpleNamespace, folder: Path) -> list[str]:
    """Runs every node on the shipped currents; what differs from the shipped traces by a single bit."""
    arrays, _ = storage.read_npz(folder / FILE)
    found = []
    for name in NODES:
        for key, values in simulate(bc, name, arrays[f"{name}.current"]).items():
            if values.tobytes() != arrays[key].tobytes():
                found.append(f"nodes: {key} differs")
    return found
