"""Records sinabs: record_sinabs.py FOLDER.

The graphs are its exports. Time constants are in steps; neurons may fire several times in a step.
"""

import nir
import sinabs.layers as sl
import torch
from sinabs.nir import from_nir, to_nir

import shared


def run(folder, name, graph, network, neurons, inputs):
    """Runs the whole sequence, layer by layer, as sinabs does, and saves the recording."""
    recorder = shared.Recorder()
    for node, module in neurons.items():
        module.record_states = True
        recorder.watch(node, module, (shared.STEPS, *graph.nodes[node].v_threshold.shape))
    with torch.no_grad():
        network(torch.from_numpy(inputs.astype("float32")))
    spikes = {node: given[0] for node, given in recorder.spikes.items()}
    small = {node: module.recordings["v_mem"][0].numpy() for node, module in neurons.items()
             if graph.nodes[node].v_threshold.size < 30}
    shared.save(folder, name, inputs, spikes, small)


def as_imported(folder, name, graph, inputs):
    graph = shared.read_back(folder, name, graph)
    network = from_nir(nir.read(folder / f"{name}.nir"), batch_size=1)
    neurons = {node: network.get_submodule(node) for node, what in graph.nodes.items()
               if isinstance(what, (nir.LIF, nir.IF))}
    run(folder, name, graph, network, neurons, inputs)
    return neurons


def lif(folder):
    """Affine and LIF; `norm_input=False`, as import sets it."""
    rng = shared.generator(31)

    def squeeze(neurons):
        return sl.LIFSqueeze(batch_size=1, tau_mem=shared.between(rng, 4.0, 20.0, neurons), norm_input=False,
                             spike_threshold=shared.between(rng, 0.6, 1.0, neurons))

    network = torch.nn.Sequential(
        shared.fill(torch.nn.Linear(10, 20), rng, 0.1, 0.5, 0.05), squeeze(20),
        shared.fill(torch.nn.Linear(20, 5, bias=False), rng, 0.05, 0.3), squeeze(5))
    graph = to_nir(network, torch.zeros(1, 10))
    as_imported(folder, "sinabs_lif", graph, shared.events(rng, (10,), 0.4))


def convolution(rng, floor):
    def fire():
        return sl.IAFSqueeze(batch_size=1, spike_threshold=torch.tensor(1.0), min_v_mem=floor)

    return torch.nn.Sequential(
        shared.fill(torch.nn.Conv2d(2, 4, 3, stride=2, padding=1, bias=False), rng, 0.05, 0.4), fire(),
        sl.SumPool2d(2), torch.nn.Flatten(),
        shared.fill(torch.nn.Linear(16, 6), rng, 0.05, 0.2, 0.05), fire())


def exported(network):
    """The export; shapes that it leaves out are needed to write it."""
    graph = to_nir(network, torch.zeros(1, 2, 8, 8))
    graph.infer_types()
    return graph


def unbounded(folder):
    """Conv2d, IF, SumPool2d, Flatten, Affine, IF, as built: no bound below, which export leaves out."""
    rng = shared.generator(32)
    network = convolution(rng, None)
    graph = shared.read_back(folder, "sinabs_conv", exported(network))
    for module in network:
        if isinstance(module, sl.IAFSqueeze):
            module.reset_states()
    run(folder, "sinabs_conv", graph, network, {"1": network[1], "5": network[5]},
        shared.events(rng, (2, 8, 8), 0.25))


def bounded(folder):
    """The same with other weights, as imported: membranes stop at minus the threshold."""
    rng = shared.generator(33)
    network = convolution(rng, -1.0)
    neurons = as_imported(folder, "sinabs_import", exported(network), shared.events(rng, (2, 8, 8), 0.25))
    assert all((module.recordings["v_mem"] == -1.0).any() for module in neurons.values())


if __name__ == "__main__":
    target = shared.folder()
    for record in (lif, unbounded, bounded):
        record(target)
