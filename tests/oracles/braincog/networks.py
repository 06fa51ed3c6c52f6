"""Builds BrainCog's own network of a genome file, and runs it while watching every neuron."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

Genome = dict[str, Any]
# The code of BrainCog asks for the name of a data set to choose stem and reductions.
EVENT_DATA, IMAGE_DATA = "dvsg", "cifar10"


def neuron(bc: SimpleNamespace, genome: Genome) -> tuple[type, dict[str, float]]:
    """The node class and its constants; the `w` of a PLIF node comes with the weights."""
    constants = genome["neurons"][genome["search"]["neuron"]]
    if constants["model"] == "lif":
        return bc.node.LIFNode, {"tau": constants["tau"], "threshold": constants["threshold"]}
    if constants["model"] == "plif":
        return bc.node.PLIFNode, {"threshold": constants["threshold"]}
    raise ValueError(f"no network of {constants['model']} neurons")


def build(bc: SimpleNamespace, genome: Genome) -> torch.nn.Module:
    """The network in evaluation mode, with BrainCog's own initial weights."""
    search = genome["search"]
    node, constants = neuron(bc, genome)
    arguments = {
        "C": search["init_channels"],
        "num_classes": genome["readout"]["classes"],
        "layers": search["cells"],
        "auxiliary": False,
        "step": genome["time"]["steps"],
        "node_type": node,
        "dataset": EVENT_DATA if genome["input"]["coding"] == "events" else IMAGE_DATA,
        "encode_type": "direct",
        "layer_by_layer": False,
        "spike_output": False,
        **constants,
    }
    if search["family"] == "braincog-neuevo":
        net = bc.neuevo.NetworkCIFAR(
            genotype=getattr(bc.genotypes, search["genotype"]),
            back_connection=search["feedback"] == "same_step",
            **arguments,
        )
    else:
        genes = search["genome"]
        motifs, _ = bc.encoding.decode_motif(search["cells"], search["genes_per_cell"], genes)
        net = bc.cells.NetworkCIFAR(motif=motifs, cell_type=genes[-1], **arguments)
    reduced = [index for index in net.reduce_idx if index < search["cells"]]
    if sorted(set(reduced)) != search["reduce_at"]:
        raise ValueError(f"{genome['name']}: the code reduces at {reduced}")
    return net.eval()


def state(net: torch.nn.Module) -> dict[str, np.ndarray]:
    """The state dict as arrays."""
    return {name: tensor.detach().numpy() for name, tensor in net.state_dict().items()}


def load_state(net: torch.nn.Module, arrays: dict[str, np.ndarray]) -> None:
    """Loads a state dict; every tensor must be there and none may be left over."""
    tensors = {name: torch.tensor(array) for name, array in arrays.items()}
    net.load_state_dict(tensors, strict=True)


class Watch:
    """Records potential before reset and emitted value of each population in each step.

    It calls the node's own `calc_spike` in between and changes nothing, except in a network of
    float64: there the spikes, which the nodes always emit as float32, are widened for the next layer.
    """

    def __init__(self, bc: SimpleNamespace, net: torch.nn.Module) -> None:
        self.nodes = {n: m for n, m in net.named_modules() if isinstance(m, bc.node.BaseNode)}
        self.clear()
        for name, node in self.nodes.items():
            self.attach(name, node)

    def clear(self) -> None:
        """Forgets what was recorded."""
        self.potentials: dict[str, list[np.ndarray]] = {name: [] for name in self.nodes}
        self.spikes: dict[str, list[np.ndarray]] = {name: [] for name in self.nodes}

    def attach(self, name: str, node: torch.nn.Module) -> None:
        decide = node.calc_spike

        def observed() -> None:
            self.potentials[name].append(node.mem.numpy().copy())
            decide()
            node.spike = node.spike.to(node.mem.dtype)
            self.spikes[name].append(node.spike.numpy().copy())

        node.calc_spike = observed


class Run:
    """One sample through a network: logits, potentials and spikes `[steps, C, H, W]`."""

    def __init__(self, net: torch.nn.Module, watch: Watch, sample: np.ndarray) -> None:
        watch.clear()
        dtype = next(net.parameters()).dtype
        with torch.no_grad():
            logits = net(torch.tensor(sample).to(dtype).unsqueeze(0))
        self.logits = logits.squeeze(0).numpy()
        ran = [name for name in watch.nodes if watch.spikes[name]]
        self.idle = [name for name in watch.nodes if not watch.spikes[name]]
        self.potentials = {name: np.concatenate(watch.potentials[name]) for name in ran}
        self.spikes = {name: np.concatenate(watch.spikes[name]) for name in ran}


def margin(net: torch.nn.Module, run: Run) -> float:
    """The smallest distance of any potential from its threshold."""
    thresholds = {name: float(node.threshold) for name, node in net.named_modules() if name in run.spikes}
    return min(float(np.abs(h - thresholds[name]).min()) for name, h in run.potentials.items())
