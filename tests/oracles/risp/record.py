"""Records what the RISP simulator of the TENNLab framework does: `record.py FRAMEWORK FIXTURES`.

FRAMEWORK is a checkout of the framework (github.com/TENNLab-UTK/framework-open), whose simulator is compiled together with
raster.cpp. For each network of `networks`, FIXTURES gets NAME.json and NAME.npz: the samples as `snnc run` reads them, and
`ids` and `fired` (neuron by ascending id, step: whether it fired). The networks are drawn from fixed seeds and belong to this
repository.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

SOURCES = ["risp", "risp_static", "framework", "properties", "processor_help"]


def params(leak: str, low: float, high: float, floor: float, **more: Any) -> dict[str, Any]:
    """Settings of the processor."""
    return {
        "discrete": True,
        "leak_mode": leak,
        "min_weight": low,
        "max_weight": high,
        "min_threshold": 0,
        "max_threshold": high,
        "min_potential": floor,
        "max_delay": 15,
    } | more


def listed(weights: list[int]) -> dict[str, Any]:
    """Settings of networks whose edges number these weights."""
    settings = params("all", 0, 8, -8, weights=weights, inputs_from_weights=True, min_threshold=1)
    return {k: v for k, v in settings.items() if k not in ("min_weight", "max_weight")}


def values(properties: list[dict[str, Any]], **named: float) -> list[float]:
    """Values of a node or an edge, in the order of its properties."""
    return [named[p["name"]] for p in sorted(properties, key=lambda p: p["index"])]


def network(
    program: Path,
    seed: int,
    settings: dict[str, Any],
    steps: int,
    scale: float = 1.0,
    spared: bool = True,
) -> dict[str, Any]:
    """A network of up to 24 neurons with ids that leave gaps, self-loops included."""
    properties = named_values(program, settings)
    rng = random.Random(seed)
    ids = rng.sample(range(100), rng.randint(8, 24))
    inputs = rng.sample(ids, rng.randint(1, 4))
    outputs = rng.sample(ids, rng.randint(1, 5))
    weights = settings.get("weights")
    low, high = int(settings.get("min_weight", 0)), int(settings["max_threshold"])
    spares = spared and settings["leak_mode"] == "configurable"

    def weight() -> float:
        if weights:
            return rng.randrange(len(weights))
        return rng.randint(low, high) * scale

    nodes, keeps = [], set()
    for i in ids:
        leak = rng.randint(0, 1)
        # Where `spared`, only leaking neurons are inhibited.
        threshold = rng.randint(int(settings["min_threshold"]), high) * scale
        found = values(properties["node_properties"], Threshold=threshold, Leak=leak)
        nodes.append({"id": i, "values": found})
        if spares and not leak:
            keeps.add(i)
    edges = []
    for source in ids:
        for target in rng.sample(ids, 2):
            w = weight()
            w = abs(w) if target in keeps else w
            found = values(properties["edge_properties"], Weight=w, Delay=rng.randint(1, 15))
            edges.append({"from": source, "to": target, "values": found})
    return {
        "Properties": properties,
        "Nodes": nodes,
        "Edges": edges,
        "Inputs": inputs,
        "Outputs": outputs,
        "Network_Values": [],
        "Associated_Data": {
            "other": {"proc_name": "risp", "sim_time": steps},
            "proc_params": settings,
        },
    }


def named_values(program: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """The properties that networks of these settings must have."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(settings, file)
        file.flush()
        done = subprocess.run([str(program), "--properties", file.name], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def recorded() -> list[tuple[str, dict[str, Any], float]]:
    """Name, settings and scale of the recorded networks."""
    return [
        ("plus_keep", params("none", 1, 15, 0, min_threshold=1), 1),
        ("plus_zero", params("none", 1, 7, 0), 1),
        ("leak", params("all", -127, 127, -127), 1),
        ("leak_zero", params("all", -3, 3, -3), 1),
        ("leak_above", params("all", -7, 7, -7, threshold_inclusive=False), 1),
        ("mixed", params("configurable", -15, 15, -15, min_threshold=1), 1),
        ("wide", params("none", 200, 4000, 0, min_threshold=300), 1),
        ("fractions", params("all", -8, 8, -2, discrete=False, spike_value_factor=1.25), 0.125),
        (
            "listed",
            listed([-6, -1, 2, 5]),
            1,
        ),
        ("factor", params("none", 1, 15, 0, spike_value_factor=5.5), 1),
        # Neurons that keep their potential and are inhibited, down to the floor.
        ("keep_1", params("none", -1, 1, -1), 1),
        ("keep_7", params("none", -7, 7, -7), 1),
        ("keep_15", params("none", -15, 15, -15, min_threshold=1), 1),
        ("keep_127", params("none", -127, 127, -127, max_delay=127), 1),
        ("keep_above", params("none", -15, 15, -4, threshold_inclusive=False), 1),
        ("keep_at_0", params("none", -15, 15, 0), 1),
        ("keep_fractions", params("none", -8, 8, -0.75, discrete=False, spike_value_factor=1.25), 0.125),
        ("mixed_floor", params("configurable", -15, 15, -15), 1),
        # Inhibition of leaking neurons that a leak alone would not forget.
        ("leak_deep", params("all", -1000, 1000, -1000), 1),
    ]


def build(framework: Path, folder: Path) -> Path:
    """Compiles the simulator with raster.cpp."""
    program = folder / "raster"
    sources = [str(framework / "src" / f"{name}.cpp") for name in SOURCES]
    here = str(Path(__file__).with_name("raster.cpp"))
    include = ["-I", str(framework / "include"), "-I", str(framework / "include/utils")]
    subprocess.run(["g++", "-O2", "-std=c++17", *include, here, *sources, "-o", str(program)], check=True)
    return program


def record(program: Path, path: Path, seed: int, steps: int) -> None:
    """Runs a network on random spikes, and writes the recording beside it."""
    data = json.loads(path.read_text())
    rng = np.random.default_rng(seed)
    spikes = (rng.random((1, steps, len(data["Inputs"]))) < 0.25).astype(np.uint8)
    lines = "".join(f"{i} {t}\n" for _, t, i in np.argwhere(spikes))
    done = subprocess.run(
        [str(program), str(path), str(steps)], input=lines, capture_output=True, text=True, check=True
    )
    ids = np.array(sorted(node["id"] for node in data["Nodes"]), np.int32)
    fired = np.zeros((len(ids), steps), np.uint8)
    for line in done.stdout.splitlines():
        neuron, step = map(int, line.split())
        fired[np.searchsorted(ids, neuron), step] = 1
    np.savez_compressed(path.with_suffix(".npz"), spikes=spikes, ids=ids, fired=fired)
    print(f"{path.stem}: {len(ids)} neurons, {fired.mean():.3f} fire in a step")


def main() -> None:
    framework, fixtures = map(Path, sys.argv[1:])
    fixtures.mkdir(parents=True, exist_ok=True)
    steps = 500
    with tempfile.TemporaryDirectory() as folder:
        program = build(framework, Path(folder))
        for seed, (name, settings, scale) in enumerate(recorded()):
            data = network(program, seed, settings, steps, scale, spared=name == "mixed")
            path = fixtures / f"{name}.json"
            path.write_text(json.dumps(data) + "\n")
            record(program, path, seed, steps)


if __name__ == "__main__":
    main()
