"""Records snnTorch: record_snntorch.py FOLDER.

The graphs are snnTorch's exports, run by snnTorch as it imports them, except where a comment says why not.
"""

import numpy as np
import snntorch as snn
import torch
from snntorch.export_nir import export_to_nir
from snntorch.import_nir import import_from_nir

import nir
import shared


def leaky(rng, *shape, low=0.8, high=0.95, **options):
    beta = shared.between(rng, low, high, *shape)
    return snn.Leaky(beta=beta, threshold=torch.ones(shape), init_hidden=True,
                     reset_mechanism="zero", reset_delay=False, **options)


def imported(folder, name, graph, inputs, membranes):
    """Runs the file `graph` as snnTorch imports it, and saves the recording."""
    graph = shared.read_back(folder, name, graph)
    network = import_from_nir(nir.read(folder / f"{name}.nir"))
    recorder = shared.Recorder()
    for node, what in graph.nodes.items():
        if isinstance(what, (nir.LIF, nir.CubaLIF)):
            membrane = (lambda module, _: module.mem) if membranes else None
            module = network.get_submodule(node.replace(".", "_"))
            recorder.watch(node, module, what.v_threshold.shape, membrane)
    shared.run(network, inputs)
    shared.save(folder, name, inputs, recorder.spikes, recorder.membranes)


def lif(folder):
    """Affine and LIF, each neuron with its own time constant."""
    rng = shared.generator(1)
    network = torch.nn.Sequential(
        shared.fill(torch.nn.Linear(10, 24), rng, 0.1, 0.4, 0.05), leaky(rng, 24),
        shared.fill(torch.nn.Linear(24, 5, bias=False), rng, 0.1, 0.3), leaky(rng, 5))
    graph = export_to_nir(network, torch.zeros(1, 10), ignore_dims=[0])
    imported(folder, "snntorch_lif", graph, shared.events(rng, (10,), 0.3), True)


def convolution(folder):
    """Conv2d with bias, LIF, AvgPool2d, Flatten, Linear, LIF."""
    rng = shared.generator(2)
    network = torch.nn.Sequential(
        shared.fill(torch.nn.Conv2d(2, 4, 3, stride=2, padding=1), rng, 0.05, 0.4, 0.05),
        leaky(rng, 4, 4, 4), torch.nn.AvgPool2d((2, 2)), torch.nn.Flatten(),
        shared.fill(torch.nn.Linear(16, 6, bias=False), rng, 0.2, 0.5), leaky(rng, 6))
    graph = export_to_nir(network, torch.zeros(1, 2, 8, 8), ignore_dims=[0])
    imported(folder, "snntorch_conv", graph, shared.events(rng, (2, 8, 8), 0.3), False)


def synaptic(rng, neurons):
    same = torch.ones(neurons)
    return snn.Synaptic(alpha=0.7 * same, beta=0.85 * same, threshold=same, init_hidden=True,
                        reset_mechanism="zero", reset_delay=False)


def cuba(folder):
    """CubaLIF behind a bias, which enters the current."""
    rng = shared.generator(3)
    network = torch.nn.Sequential(
        shared.fill(torch.nn.Linear(8, 16), rng, 0.05, 0.3, 0.04), synaptic(rng, 16),
        shared.fill(torch.nn.Linear(16, 4), rng, 0.0, 0.2, 0.04), synaptic(rng, 4))
    graph = export_to_nir(network, torch.zeros(1, 8), ignore_dims=[0])
    imported(folder, "snntorch_cuba", graph, shared.events(rng, (8,), 0.25), True)


def recurrent(folder):
    """CubaLIF that hears itself through an Affine, one step later; the bias acts from the first step.

    The export is that of RSynaptic. snnTorch 1.0.0 cannot import it (nirtorch 2.6), and its RSynaptic
    fails with `reset_delay=False`: so the loop of RSynaptic is written out around a Synaptic.
    """
    rng = shared.generator(4)
    inner = snn.RSynaptic(alpha=0.7, beta=0.85, linear_features=12, init_hidden=True,
                          reset_mechanism="zero")
    shared.fill(inner.recurrent, rng, -0.02, 0.15, 0.03)
    first = shared.fill(torch.nn.Linear(6, 12), rng, 0.05, 0.3, 0.03)
    last = shared.fill(torch.nn.Linear(12, 3), rng, 0.05, 0.3, 0.03)
    out = leaky(rng, 3)
    network = torch.nn.Sequential(first, inner, last, out)
    graph = export_to_nir(network, torch.zeros(1, 6), ignore_dims=[0])
    graph = shared.read_back(folder, "snntorch_recurrent", graph)
    # The neurons as they are imported.
    node = graph.nodes["1.lif"]
    alpha = float(np.unique(1 - 1e-4 / node.tau_syn)[0])
    beta = float(np.unique(1 - 1e-4 / node.tau_mem)[0])
    hidden = snn.Synaptic(alpha=alpha, beta=beta, init_hidden=True, reset_mechanism="zero",
                          reset_delay=False)
    node = graph.nodes["3"]
    out = snn.Leaky(beta=torch.from_numpy(1 - 1e-4 / node.tau), init_hidden=True,
                    reset_mechanism="zero", reset_delay=False)
    recorder = shared.Recorder()
    recorder.watch("1.lif", hidden, 12, lambda module, _: module.mem)
    recorder.watch("3", out, 3, lambda module, _: module.mem)
    inputs = shared.events(rng, (6,), 0.3)
    spikes = torch.zeros(1, 12)
    with torch.no_grad():
        for step in shared.batched(inputs):
            spikes = hidden(first(step) + inner.recurrent(spikes))
            out(last(spikes))
    shared.save(folder, "snntorch_recurrent", inputs, recorder.spikes, recorder.membranes)


def subtract(folder):
    """Reset by subtraction, which the file does not say: run as built, because import resets to zero."""
    rng = shared.generator(5)

    def subtracting(neurons):
        return snn.Leaky(beta=0.9 * torch.ones(neurons), threshold=torch.ones(neurons),
                         init_hidden=True, reset_mechanism="subtract", reset_delay=False)

    network = torch.nn.Sequential(
        shared.fill(torch.nn.Linear(10, 16), rng, 0.05, 0.15, 0.02), subtracting(16),
        shared.fill(torch.nn.Linear(16, 4), rng, 0.05, 0.15, 0.02), subtracting(4))
    graph = export_to_nir(network, torch.zeros(1, 10), ignore_dims=[0])
    shared.read_back(folder, "snntorch_subtract", graph)
    for module in network:
        if isinstance(module, snn.Leaky):
            module.reset_mem()
    recorder = shared.Recorder()
    for node, neurons in (("1", 16), ("3", 4)):
        recorder.watch(node, network.get_submodule(node), neurons, lambda module, _: module.mem)
    inputs = shared.events(rng, (10,), 0.3)
    with torch.no_grad():
        for step in shared.batched(inputs):
            network(step)
    # Where one subtraction is not enough, snnTorch does something of its own.
    assert all(np.max(v) <= 1 for v in recorder.membranes.values())
    shared.save(folder, "snntorch_subtract", inputs, recorder.spikes, recorder.membranes)


def gain(folder):
    """A resistance other than tau / dt, which snnTorch folds into the threshold."""
    rng = shared.generator(6)
    ones = np.ones(12, np.float32)
    graph = nir.NIRGraph.from_list(
        nir.Affine(shared.tensor(rng, 12, 8, mean=0.1, scale=0.4).numpy(), 0.05 * ones),
        nir.LIF(tau=np.float32(1.3e-3) * ones, r=np.float32(2.5) * ones, v_leak=0 * ones,
                v_threshold=np.float32(0.3) * ones, v_reset=0 * ones))
    imported(folder, "snntorch_gain", graph, shared.events(rng, (8,), 0.4), True)


if __name__ == "__main__":
    target = shared.folder()
    for record in (lif, convolution, cuba, recurrent, subtract, gain):
        record(target)
