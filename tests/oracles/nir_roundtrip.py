"""Compares `snnc convert` with the `nir` package: nir_roundtrip.py SNNC SCRATCH [GRAPHS].

For every primitive alone and in a graph, for the shared graphs, and for random graphs: what `nir`
writes, `snnc` rewrites, and `nir` reads both. They must be equal: types, shapes, element types, every bit.
Run it with the environment of nir_setup.sh; the older `nir` is in its folder `older`.
"""

import os
import pathlib
import subprocess
import sys

import h5py
import nir
import numpy as np

from nir_graphs import Draw, graphs, lif, primitives, recording


def differences(a, b, path=""):
    """Where two values differ, types and element types included."""
    if type(a) is not type(b):
        return [f"{path}: {type(a).__name__} and {type(b).__name__}"]
    if isinstance(a, np.ndarray):
        same = a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b)
        return [] if same else [f"{path}: {a.dtype}{a.shape} and {b.dtype}{b.shape}"]
    if isinstance(a, dict):
        if a.keys() != b.keys():
            return [f"{path}: {sorted(a)} and {sorted(b)}"]
        return [d for k in a for d in differences(a[k], b[k], f"{path}/{k}")]
    if isinstance(a, (list, tuple)):
        if len(a) != len(b):
            return [f"{path}: {len(a)} and {len(b)} items"]
        return [d for i, (x, y) in enumerate(zip(a, b)) for d in differences(x, y, f"{path}[{i}]")]
    if hasattr(a, "__dict__"):
        return differences(vars(a), vars(b), path)
    return [] if a == b or (a != a and b != b) else [f"{path}: {a!r} and {b!r}"]


def read(path):
    """What a file holds. `nir.read` itself only reads graphs."""
    with h5py.File(path, "r") as file:
        return nir.dict2NIRNode(nir.serialization.hdf2dict(file["node"]))


def convert(snnc, source, target, *options):
    done = subprocess.run([snnc, "convert", source, "-o", target, *options], capture_output=True,
                          text=True)
    if done.returncode != 0:
        raise SystemExit(f"snnc convert {source}: exit code {done.returncode}\n{done.stderr}")


def in_graph(node):
    """The node between an input and an output, where `nir` can infer the types."""
    shape = node.input_type and node.input_type["input"]
    if shape is None:
        shape = np.array([2, 9, 8])
    if isinstance(node, (nir.Input, nir.Output)):
        node = nir.Scale(np.ones(shape, np.float32))
    if isinstance(node, nir.Conv2d) and node.groups > 1:
        return None  # nir 1.0.8 takes the channels of one group for all.
    return nir.NIRGraph.from_list(nir.Input(shape), node)


def random_graph(seed):
    """Layers of random types, edges that skip and lead back, graphs within graphs."""
    d = Draw(seed)
    n = int(d.rng.integers(1, 6))
    nodes = {"input": nir.Input(np.array([n])), "output": nir.Output(np.array([n]))}
    choices = [
        lambda: nir.Affine(d.real(n, n), d.real(n)),
        lambda: nir.Linear(d.real(n, n).astype(np.float64)),
        lambda: nir.Scale(d.real(n)),
        lambda: nir.Threshold(d.real(n)),
        lambda: nir.Delay(d.positive(n)),
        lambda: nir.I(d.positive(n)),
        lambda: nir.IF(d.positive(n), d.positive(n), d.real(n)),
        lambda: nir.LI(d.positive(n), d.positive(n), d.real(n)),
        lambda: lif(d, n),
        lambda: nir.CubaLIF(d.positive(n), d.positive(n), d.positive(n), d.real(n), d.positive(n)),
    ]
    names = ["input"]
    edges = []
    for i in range(int(d.rng.integers(1, 8))):
        name = f"{d.rng.choice(['l', 'Schicht ', 'ß.'])}{i}"
        inner = choices[d.rng.integers(len(choices))]()
        if d.rng.random() < 0.2:
            inner = nir.NIRGraph.from_list(nir.Input(np.array([n])), inner)
        nodes[name] = inner
        edges.append((names[-1], name))
        names.append(name)
    edges.append((names[-1], "output"))
    # From a neuron of its own, so that no loop is without state.
    for i in range(int(d.rng.integers(0, 3))):
        nodes[f"back{i}"] = lif(d, n)
        target = names[int(d.rng.integers(1, len(names)))]
        edges += [(names[-1], f"back{i}"), (f"back{i}", target)]
    return nir.NIRGraph(nodes=nodes, edges=edges, metadata={"seed": seed, "x": float(d.rng.random())})


def main(snnc, scratch, count):
    scratch = pathlib.Path(scratch)
    scratch.mkdir(parents=True, exist_ok=True)
    source, target, older = (scratch / f"{n}.nir" for n in ("source", "target", "older"))
    cases = {f"{name} alone": node for name, node in primitives().items()}
    cases |= {f"{name} in a graph": in_graph(node) for name, node in primitives().items()}
    cases |= graphs()
    cases |= {f"random graph {i}": random_graph(i) for i in range(count)}
    failed = older_read = 0
    environment = dict(os.environ, PYTHONPATH=str(pathlib.Path(sys.prefix) / "older"))
    read_older = ("import nir, sys; from nir.serialization import read;"
                  "assert nir.version.startswith('1.0.4'), nir.version;"
                  "read(sys.argv[1])")
    for i, (name, graph) in enumerate((n, g) for n, g in cases.items() if g is not None):
        compression = None if i % 2 else "gzip"
        nir.write(source, graph, compression=compression)
        convert(snnc, source, target)
        found = differences(read(source), read(target))
        found += [] if nir.serialization.read_version(target) == "1.0.8" else ["version"]
        if isinstance(graph, nir.NIRGraph) and name in graphs():
            convert(snnc, source, older, "--nir-compat", "1.0.4")
            subprocess.run([sys.executable, "-P", "-c", read_older, older], check=True,
                           env=environment)
            older_read += 1
        if found:
            failed += 1
            print(f"{name}:", *found[:5], sep="\n  ")
    nir.write_data(source, recording())
    with h5py.File(source, "a") as file:
        block = file.create_group("nodes/block")
        block.attrs["__type__"] = "NIRGraphData"
        file.copy("nodes/hidden", block.create_group("nodes"), "inner")
    convert(snnc, source, target)
    found = differences(nir.read_data(source), nir.read_data(target))
    if found:
        failed += 1
        print("recording:", *found[:5], sep="\n  ")
    print(f"{i + 2} files compared, {failed} differ; {older_read} read by nir 1.0.4")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 40))
