"""Records SpikingJelly: record_spikingjelly.py FOLDER.

Feed-forward graphs are its exports, recurrent ones are written with `nir`. All is run as it imports them,
with dt = 0.1 ms.
"""

import nir
import numpy as np
import torch
from spikingjelly.activation_based import layer, neuron
from spikingjelly.activation_based.nir_exchange import export_to_nir, import_from_nir

import shared


def imported(folder, name, graph, inputs, membranes):
    """Runs the file `graph` as SpikingJelly imports it, and saves the recording."""
    graph = shared.read_back(folder, name, graph)
    network = import_from_nir(folder / f"{name}.nir")
    recorder = shared.Recorder()
    for node, what in graph.nodes.items():
        if isinstance(what, (nir.LIF, nir.IF, nir.CubaLIF)):
            module = network.get_submodule(node.replace(".", "_"))
            membrane = (lambda _, given: given[1][0]) if membranes else None
            recorder.watch(node, module, what.v_threshold.shape, membrane)
    shared.run(network, inputs)
    shared.save(folder, name, inputs, recorder.spikes, recorder.membranes)


def lif(folder):
    """Affine and LIF: inputs are divided by tau in the first, not in the second; resets other than 0."""
    rng = shared.generator(21)
    network = torch.nn.Sequential(
        shared.fill(layer.Linear(10, 20), rng, 0.4, 1.2, 0.3),
        neuron.LIFNode(tau=3.7, decay_input=True, v_threshold=0.6, v_reset=-0.1),
        shared.fill(layer.Linear(20, 5), rng, 0.1, 0.4, 0.05),
        neuron.LIFNode(tau=6.1, decay_input=False, v_threshold=0.9, v_reset=0.15))
    graph = export_to_nir(network, torch.zeros(1, 10))
    imported(folder, "spikingjelly_lif", graph, shared.events(rng, (10,), 0.3), True)


def convolution(folder):
    """Conv2d with bias, IF, AvgPool2d, Flatten, Linear, IF, with r = 1 / dt."""
    rng = shared.generator(22)
    network = torch.nn.Sequential(
        shared.fill(layer.Conv2d(2, 4, 3, stride=2, padding=1), rng, 0.05, 0.3, 0.02), neuron.IFNode(),
        layer.AvgPool2d(2), layer.Flatten(),
        shared.fill(layer.Linear(16, 6, bias=False), rng, 0.1, 0.4), neuron.IFNode(v_threshold=0.8))
    graph = export_to_nir(network, torch.zeros(1, 2, 8, 8))
    imported(folder, "spikingjelly_conv", graph, shared.events(rng, (2, 8, 8), 0.25), False)


def cuba(folder):
    """CubaLIF behind a bias, which enters the current."""
    rng = shared.generator(23)
    network = torch.nn.Sequential(
        shared.fill(layer.Linear(8, 16), rng, 0.05, 0.3, 0.04),
        neuron.CUBALIFNode(c_decay=0.7, v_decay=0.85, v_threshold=0.9),
        shared.fill(layer.Linear(16, 4), rng, 0.0, 0.2, 0.04),
        neuron.CUBALIFNode(c_decay=0.6, v_decay=0.9, v_threshold=0.9))
    graph = export_to_nir(network, torch.zeros(1, 8))
    imported(folder, "spikingjelly_cuba", graph, shared.events(rng, (8,), 0.25), True)


def recurrent(folder):
    """CubaLIF that hears itself through an Affine; its bias does not act in the first step."""
    rng = shared.generator(24)
    same = np.ones(12, np.float32)
    tau_syn, tau_mem = np.float32(4e-4) * same, np.float32(8e-4) * same
    hidden = nir.CubaLIF(tau_syn=tau_syn, tau_mem=tau_mem, r=tau_mem / np.float32(1e-4), v_leak=0 * same,
                         v_threshold=same, v_reset=0 * same, w_in=tau_syn / np.float32(1e-4))
    tau = np.full(3, 5e-4, np.float32)
    out = nir.LIF(tau=tau, r=np.ones(3, np.float32), v_leak=0 * tau, v_threshold=0 * tau + np.float32(0.5),
                  v_reset=0 * tau)

    def affine(outputs, inputs, mean, scale, bias):
        return nir.Affine(shared.tensor(rng, outputs, inputs, mean=mean, scale=scale).numpy(),
                          shared.tensor(rng, outputs, mean=bias, scale=0.02).numpy())

    graph = nir.NIRGraph(
        nodes={"input": nir.Input(np.array([6])), "fc1": affine(12, 6, 0.05, 0.3, 0.02), "hidden": hidden,
               "back": affine(12, 12, -0.02, 0.15, 0.04), "fc2": affine(3, 12, 0.3, 0.8, 0.1), "out": out,
               "output": nir.Output(np.array([3]))},
        edges=[("input", "fc1"), ("fc1", "hidden"), ("hidden", "back"), ("back", "hidden"), ("hidden", "fc2"),
               ("fc2", "out"), ("out", "output")])
    imported(folder, "spikingjelly_recurrent", graph, shared.events(rng, (6,), 0.3), True)


if __name__ == "__main__":
    target = shared.folder()
    for record in (lif, convolution, cuba, recurrent):
        record(target)
