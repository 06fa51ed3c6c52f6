"""Graphs that `snnc` writes, run step by step: SNNC SCRATCH SOURCE STIMULUS SAMPLES [LEVEL TARGET].

Writes the network in SOURCE as a NIR graph, reads it with the `nir` package, and runs it in numpy as the graph's metadata
says, from the spikes that `snnc run` put in. Every spike of every population must be the one that `snnc` computes. Nothing here
knows how `snnc` represents networks: names of nodes are all that is shared.
"""

import json
import subprocess
import sys
from collections import deque
from pathlib import Path

import nir
import numpy as np

FIRES = (nir.IF, nir.LIF, nir.CubaLIF)


def order_of(graph):
    """Nodes from the inputs on, and the edges that lead back: depth-first, edges as the file has them.

    What a `Delay` reads it holds back itself, so no loop leads through it.
    """
    after = {name: [] for name in graph.nodes}
    for source, target in graph.edges:
        if not isinstance(graph.nodes[target], nir.Delay):
            after[source].append(target)
    state, done, back = {}, [], set()
    inputs = [n for n, node in graph.nodes.items() if isinstance(node, nir.Input)]
    for start in inputs + list(graph.nodes):
        if start in state:
            continue
        state[start] = "open"
        stack = [(start, iter(after[start]))]
        while stack:
            name, rest = stack[-1]
            target = next(rest, None)
            if target is None:
                state[name] = "closed"
                done.append(name)
                stack.pop()
            elif state.get(target) == "open":
                back.add((name, target))
            elif target not in state:
                state[target] = "open"
                stack.append((target, iter(after[target])))
    return done[::-1], back


def windows(x, kernel, stride, padding):
    """Windows of `[channels, height, width]`, as `[channels, rows, columns, kernel rows, kernel columns]`."""
    x = np.pad(x, [(0, 0), (padding[0],) * 2, (padding[1],) * 2])
    seen = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(1, 2))
    return seen[:, :: stride[0], :: stride[1]]


class Node:
    """A node and its state."""

    def __init__(self, node, choices, shape):
        self.node, self.choices = node, choices
        self.step = {"s": 1.0, "ms": 1e3}.get(choices["time_unit"], None)
        self.step = 1.0 if self.step is None else self.step * choices["dt"]
        self.v = self.i = 0.0
        if isinstance(node, nir.Delay):
            steps = np.unique(np.round(node.delay / self.step).astype(int))
            assert len(steps) == 1, "one delay for all"
            self.past = deque([np.zeros(shape)] * int(steps[0]))

    def taken(self, tau):
        """Share of a state that is lost in a step."""
        if self.choices["integration"] == "euler":
            return self.step / tau
        return -np.expm1(-self.step / tau)

    def run(self, x):
        node = self.node
        if isinstance(node, nir.Linear):
            return node.weight.astype(float) @ x
        if isinstance(node, nir.Affine):
            return node.weight.astype(float) @ x + node.bias
        if isinstance(node, nir.Scale):
            return node.scale * x
        if isinstance(node, nir.Flatten):
            return x.reshape(-1)
        if isinstance(node, nir.AvgPool2d):
            return windows(x, node.kernel_size, node.stride, node.padding).mean(axis=(3, 4))
        if isinstance(node, nir.Conv2d):
            assert node.groups == 1
            seen = windows(x, node.weight.shape[2:], node.stride, node.padding)
            return np.einsum("crsij,ocij->ors", seen, node.weight.astype(float)) + node.bias[:, None, None]
        if isinstance(node, FIRES):
            return self.fire(x)
        return x

    def fire(self, x):
        node = self.node
        if isinstance(node, nir.IF):
            unit = self.step if self.choices["if_dialect"] == "literal" else 1.0
            h = self.v + unit * node.r * x
        else:
            tau = node.tau
            if isinstance(node, nir.CubaLIF):
                a = self.taken(node.tau_syn)
                self.i = (1 - a) * self.i + a * node.w_in * x
                x, tau = self.i, node.tau_mem
            a = self.taken(tau)
            h = self.v + a * (node.v_leak - self.v + node.r * x)
        above = h > node.v_threshold if self.choices["comparison"] == "gt" else h >= node.v_threshold
        if self.choices["reset"] == "subtract":
            self.v = np.where(above, h - node.v_threshold, h)
        else:
            self.v = np.where(above, node.v_reset, h)
        return above.astype(float)


def run(graph, choices, inputs):
    """Spikes of every neuron node: `{name: [steps, neurons]}`; `inputs` is `{name: [steps, elements]}`."""
    order, back = order_of(graph)
    steps = len(next(iter(inputs.values())))
    shapes = {name: np.asarray(node.input_type["input"]) for name, node in graph.nodes.items()}
    nodes = {name: Node(node, choices, shapes[name]) for name, node in graph.nodes.items()}
    last = {}
    fired = {name: [] for name, node in graph.nodes.items() if isinstance(node, FIRES)}
    for step in range(steps):
        now = {}
        for name in order:
            if isinstance(graph.nodes[name], nir.Delay):
                now[name] = nodes[name].past.popleft()
                continue
            reads = [last.get(s) if (s, t) in back else now[s] for s, t in graph.edges if t == name]
            if name in inputs:
                x = inputs[name][step].reshape(shapes[name]).astype(float)
            else:
                x = sum((r for r in reads if r is not None), np.zeros(shapes[name]))
            if isinstance(graph.nodes[name], nir.Delay):
                now[name] = nodes[name].past.popleft()
                continue
            now[name] = nodes[name].run(x)
            if name in fired:
                fired[name].append(now[name].reshape(-1))
        for name, node in graph.nodes.items():
            if isinstance(node, nir.Delay):
                nodes[name].past.append(sum(now[s] for s, t in graph.edges if t == name))
        last = now
    return {name: np.array(rows) for name, rows in fired.items()}


def main(snnc, scratch, source, stimulus, samples, *level):
    scratch = Path(scratch)
    scratch.mkdir(parents=True, exist_ok=True)
    name = Path(source).name.split(".")[0]
    graph_file, spikes_file = scratch / f"{name}.nir", scratch / f"{name}.npz"
    subprocess.run([snnc, "convert", source, "-o", graph_file], check=True, stderr=subprocess.DEVNULL)
    command = [snnc, "run", source, "--stimulus", stimulus, "--samples", samples, "--spikes", spikes_file]
    if level:
        command += ["--level", level[0], "--target", level[1]]
    subprocess.run(command, check=True, capture_output=True)
    graph, truth = nir.read(graph_file), np.load(spikes_file)
    choices = json.loads(graph.metadata["snnc_discretization"])
    compared = wrong = 0
    for sample in range(int(samples)):
        inputs = {
            n: truth[f"input_{n}"][sample] for n, node in graph.nodes.items() if isinstance(node, nir.Input)
        }
        for node, rows in run(graph, choices, inputs).items():
            expected = truth[f"spikes_{node}"][sample]
            compared += int(expected.sum())
            wrong += int((rows != expected).sum())
    print(f"{source}: {compared} spikes, {wrong} differ")
    assert compared > 0, "nothing fired"
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(*sys.argv[1:]) else 0)
