"""What the recorders of simulators share: small networks, events, and files of what happened.

A recording of NAME is a graph, `NAME.nir`, and `NAME.npz`:
`input` (steps, ...) 0 or 1; `spikes.NODE` (steps, ...) spikes of every spiking node, whole numbers;
`membrane.NODE` (steps, neurons) float32, after the reset, of small networks.
"""

import io
import pathlib
import sys
import zipfile

import h5py
import nir
import numpy as np
import torch

STEPS = 80


def generator(seed):
    return np.random.default_rng(seed)


def events(rng, shape, rate, steps=STEPS):
    """Spikes of the input: 0 or 1, (steps, *shape)."""
    return (rng.random((steps, *shape)) < rate).astype(np.uint8)


def tensor(rng, *shape, mean=0.0, scale=1.0):
    """Normally distributed weights."""
    return torch.from_numpy(rng.normal(mean, scale, shape).astype(np.float32))


def fill(module, rng, mean, scale, bias=0.0):
    """Gives a linear or convolutional module weights, and a bias around `bias` if it has one."""
    module.weight.data = tensor(rng, *module.weight.shape, mean=mean, scale=scale)
    if module.bias is not None:
        module.bias.data = tensor(rng, *module.bias.shape, mean=bias, scale=abs(bias) / 4)
    return module


def between(rng, low, high, *shape):
    """Parameters of neurons, one for each."""
    return torch.from_numpy(rng.uniform(low, high, shape).astype(np.float32))


class Recorder:
    """Keeps what modules give, step by step."""

    def __init__(self):
        self.spikes, self.membranes = {}, {}

    def watch(self, node, module, shape, membrane=None):
        """Records `module` as the node of that shape; `membrane` takes the module and what it gave."""
        def hook(_, __, given):
            spikes = given[0] if isinstance(given, tuple) else given
            self.spikes.setdefault(node, []).append(spikes.detach().numpy().reshape(shape).copy())
            if membrane is not None:
                value = membrane(module, given).detach().numpy().reshape(-1).copy()
                self.membranes.setdefault(node, []).append(value.astype(np.float32))
        module.register_forward_hook(hook)


def batched(inputs):
    """One step after the other, with a batch of one sample."""
    return [torch.from_numpy(step.astype(np.float32))[None] for step in inputs]


def run(network, inputs):
    """Runs a network that takes a step and its state, and gives the next state."""
    state = None
    with torch.no_grad():
        for step in batched(inputs):
            _, state = network(step, state)


def save(folder, name, inputs, spikes, membranes=None):
    """Writes what happened; every node has to fire, and not always."""
    arrays = {"input": inputs}
    for node, steps in spikes.items():
        counts = np.stack(steps) if isinstance(steps, list) else steps
        whole = counts.astype(np.uint8)
        assert (whole == counts).all(), f"{name}: {node} gives no whole numbers"
        rate = (whole > 0).mean()
        assert 0.02 < rate < 0.9, f"{name}: {node} fires in {rate:.1%}"
        print(f"{name:24} {node:8} {rate:6.1%} most in a step {whole.max()}")
        arrays[f"spikes.{node}"] = whole
    for node, steps in (membranes or {}).items():
        arrays[f"membrane.{node}"] = np.stack(steps)
    path = pathlib.Path(folder) / name
    write_npz(f"{path}.npz", arrays)


def write_npz(path, arrays):
    """As `numpy.savez_compressed`, with the same bytes whenever it is run."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in sorted(arrays):
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(arrays[name]))
            file.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)),
                          content.getvalue(), zipfile.ZIP_DEFLATED)


def read_back(folder, name, graph):
    """The graph as a simulator finds it in the file."""
    # Exports list edges in the order of a set, which differs from run to run.
    graph.edges.sort()
    path = pathlib.Path(folder) / f"{name}.nir"
    nir.write(path, graph, compression=None)
    return nir.read(path)


def folder():
    """The folder that the command line names."""
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} FOLDER")
    made = pathlib.Path(sys.argv[1])
    made.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    return made
