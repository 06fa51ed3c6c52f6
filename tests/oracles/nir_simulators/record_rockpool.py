"""Records Rockpool: record_rockpool.py FOLDER.

Import takes time constants in seconds and guesses the step: the least tau_mem / (1 + r). Here it is 1 ms.
Neurons may fire several times in a step.
"""

import nir
import numpy as np
import torch
from rockpool.nn.modules.torch.nir import from_nir

import shared

DT = np.float32(1e-3)


def cuba(rng, neurons, threshold):
    """Rockpool adds `v_leak` to the membrane in every step, as it is."""
    tau = np.full(neurons, np.float32(1.2e-2))
    return nir.CubaLIF(tau_syn=shared.between(rng, 0.004, 0.01, neurons).numpy(), tau_mem=tau, r=tau / DT - 1,
                       v_leak=shared.between(rng, -0.02, 0.04, neurons).numpy(),
                       v_threshold=shared.between(rng, threshold, 1.2 * threshold, neurons).numpy())


def run(folder, name, graph, inputs, spiking):
    """`spiking`: of names of nodes, those of the modules."""
    graph = shared.read_back(folder, name, graph)
    network = from_nir(folder / f"{name}.nir")
    recorder = shared.Recorder()
    for node, (module, neurons) in spiking.items():
        recorder.watch(node, network.get_submodule(module), (shared.STEPS, neurons))
    with torch.no_grad():
        network(torch.from_numpy(inputs.astype(np.float32))[None])
    shared.save(folder, name, inputs, {node: given[0] for node, given in recorder.spikes.items()})


def feedforward(folder):
    rng = shared.generator(41)
    graph = nir.NIRGraph.from_list(
        nir.Affine(shared.tensor(rng, 16, 8, mean=0.1, scale=0.5).numpy(),
                   shared.tensor(rng, 16, mean=0.05, scale=0.02).numpy()),
        cuba(rng, 16, 2.0),
        nir.Linear(shared.tensor(rng, 4, 16, mean=0.0, scale=0.2).numpy()),
        cuba(rng, 4, 2.0))
    run(folder, "rockpool_cuba", graph, shared.events(rng, (8,), 0.3),
        {"cubalif": ("cubalif", 16), "cubalif_1": ("cubalif_1", 4)})


def recurrent(folder):
    """A graph within the graph, the only recurrence that import knows."""
    rng = shared.generator(42)
    inner = nir.NIRGraph(
        nodes={"input": nir.Input(np.array([10])), "lif": cuba(rng, 10, 2.0),
               "w_rec": nir.Linear(shared.tensor(rng, 10, 10, mean=-0.02, scale=0.2).numpy()),
               "output": nir.Output(np.array([10]))},
        edges=[("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")])
    graph = nir.NIRGraph(
        nodes={"input": nir.Input(np.array([6])),
               "first": nir.Linear(shared.tensor(rng, 10, 6, mean=0.1, scale=0.5).numpy()), "inner": inner,
               "last": nir.Linear(shared.tensor(rng, 3, 10, mean=0.0, scale=0.3).numpy()),
               "out": cuba(rng, 3, 2.0), "output": nir.Output(np.array([3]))},
        edges=[("input", "first"), ("first", "inner"), ("inner", "last"), ("last", "out"), ("out", "output")])
    run(folder, "rockpool_recurrent", graph, shared.events(rng, (6,), 0.3),
        {"inner.lif": ("inner", 10), "out": ("out", 3)})


if __name__ == "__main__":
    target = shared.folder()
    for record in (feedforward, recurrent):
        record(target)
