"""Reads the text that `snnc compile --emit network` and `--emit quantized` print.

Only what networks of dense layers of integrate-and-fire neurons need; anything else is refused, so
that no network is read as something that it is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from model import FloatNetwork, FloatNeurons, IntegerNetwork, IntegerNeurons, Projection

NUMBERS = re.compile(r"\{([^{}]*)\}")


class Unreadable(Exception):
    """The text holds something that this reader does not know."""


def _entries(text: str) -> Iterator[list[str]]:
    """Entries of the text: a line that starts in column 0 with the indented lines below it. Lists
    of numbers in braces stand on the line that opened them."""
    text = NUMBERS.sub(lambda m: "{" + " ".join(m.group(1).split()) + "}", text)
    entry: list[str] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        if line[0] != " " and entry:
            yield entry
            entry = []
        entry.append(line)
    if entry:
        yield entry


def _list(text: str) -> np.ndarray:
    match = NUMBERS.search(text)
    if match is None:
        raise Unreadable(f"no list of numbers: {text[:80]}")
    return np.array(match.group(1).split(), dtype=np.float64)


def _param(text: str, shape: list[int]) -> np.ndarray:
    """A value per neuron from `V`, `per_channel {…}` or `per_neuron {…}`."""
    size = int(np.prod(shape))
    if text.startswith("per_channel"):
        return np.repeat(_list(text), size // shape[0])
    if text.startswith("per_neuron"):
        return _list(text)
    return np.full(size, float(text))


def _shape(text: str) -> list[int]:
    return [int(extent) for extent in text.split(",")]


def _properties(lines: list[str]) -> dict[str, str]:
    """`name value` lines below an entry."""
    return {k: v for k, _, v in (line.strip().partition(" ") for line in lines)}


def _demand(properties: dict[str, str], name: str, wanted: str) -> None:
    if properties.get(name) != wanted:
        raise Unreadable(f"{name} is {properties.get(name)}, only {wanted} is known")


def read_quantized(text: str) -> IntegerNetwork:
    """The network of `--emit quantized`, in logical time."""
    matrices: dict[str, np.ndarray] = {}
    names: dict[str, str] = {}
    inputs: dict[str, int] = {}
    neurons: dict[str, IntegerNeurons] = {}
    projections: list[Projection] = []
    head: dict[str, str] = {}
    for entry in _entries(text):
        line = entry[0]
        if m := re.match(r'(mat\d+) "[^"]*" dense \[([\d, ]+)\] \w+ exponent (-?\d+) ', line):
            mantissas = _list(line).reshape(_shape(m[2]))
            # Every synapse is shifted on its own, toward minus infinity.
            matrices[m[1]] = np.floor(mantissas * 2.0 ** int(m[3]))
        elif m := re.match(r'(mat\d+) "[^"]*" sparse \[([\d, ]+)\] row_start ', line):
            exponent = re.search(r" \w+ exponent (-?\d+) ", line)
            lists = [np.array(found.split(), dtype=np.float64) for found in NUMBERS.findall(line)]
            if exponent is None or len(lists) != 3:
                raise Unreadable(line[:80])
            row_start, columns, mantissas = lists
            counts = np.diff(row_start).astype(int)
            dense = np.zeros(_shape(m[2]))
            dense[np.repeat(np.arange(len(counts)), counts), columns.astype(int)] = mantissas
            matrices[m[1]] = np.floor(dense * 2.0 ** int(exponent[1]))
        elif m := re.match(r'(pop\d+) "([^"]*)" \[([\d, ]+)\] = logical (input|neurons)', line):
            names[m[1]] = m[2]
            shape = _shape(m[3])
            if m[4] == "input":
                inputs[m[2]] = int(np.prod(shape))
                continue
            values = _properties(entry[1:])
            _demand(values, "compare", "gt")
            _demand(values, "reset", "zero")
            _demand(values, "update_period", "1")
            registers = [_param(values[k], shape) for k in ("du", "dv", "threshold", "bias")]
            neurons[m[2]] = IntegerNeurons(*registers, refractory=int(values["refractory"]))
        elif m := re.match(r"proj\d+ (pop\d+) -> (pop\d+) (mat\d+) delay (\d+)$", line):
            ends = names[m[1]], names[m[2]]
            projections.append(Projection(*ends, int(m[4]), matrices[m[3]]))
        elif m := re.match(r"readout spike_count (pop\d+)$", line):
            head["readout"] = names[m[1]]
        elif m := re.match(r"(snn|name|steps|time) (.*)$", line):
            head[m[1]] = m[2].strip('"')
        else:
            raise Unreadable(line[:80])
    _demand(head, "time", "logical")
    return IntegerNetwork(
        head["name"], int(head["steps"]), inputs, neurons, projections, head["readout"]
    )


def read_float(text: str) -> FloatNetwork:
    """The network of `--emit network`: neurons that read a sum of linear layers of spikes."""
    tensors: dict[str, np.ndarray] = {}
    nodes: dict[str, tuple[str, list[int], str, list[str], str, list[str]]] = {}
    head: dict[str, str] = {}
    for entry in _entries(text):
        line = entry[0]
        if m := re.match(r'(tensor\d+) "[^"]*" \[([\d, ]+)\] ', line):
            tensors[m[1]] = _list(line).reshape(_shape(m[2]))
        elif m := re.match(r'(node\d+) "([^"]*)" \[([\d, ]+)\] = (\w+)\(([^)]*)\)(.*)$', line):
            reads = [r.strip() for r in m[5].split(",") if r.strip()]
            nodes[m[1]] = (m[2], _shape(m[3]), m[4], reads, m[6], entry[1:])
        elif m := re.match(r"readout spike_count (node\d+)$", line):
            head["readout"] = nodes[m[1]][0]
        elif m := re.match(r"(snn|name|steps) (.*)$", line):
            head[m[1]] = m[2].strip('"')
        else:
            raise Unreadable(line[:80])
    inputs = {n: int(np.prod(s)) for n, s, op, *_ in nodes.values() if op == "input"}
    neurons: dict[str, FloatNeurons] = {}
    projections: list[Projection] = []
    for name, shape, op, reads, _, lines in nodes.values():
        if op == "neuron":
            bias = np.zeros(int(np.prod(shape)))
            for term in nodes[reads[0]][3] if nodes[reads[0]][2] == "add" else reads:
                _, _, kind, (edge,), rest, _ = nodes[term]
                if kind != "linear":
                    raise Unreadable(f"{name} reads a node of kind {kind}")
                source, _, delay = edge.partition("@")
                used = re.findall(r"(weight|bias) (tensor\d+)", rest)
                weights = tensors[dict(used)["weight"]]
                projections.append(Projection(nodes[source][0], name, int(delay or 0), weights))
                bias = bias + (tensors[dict(used)["bias"]] if "bias" in dict(used) else 0)
            neurons[name] = _float_neurons(_properties(lines), shape, bias)
    steps = int(head["steps"])
    return FloatNetwork(head["name"], steps, inputs, neurons, projections, head["readout"])


def _float_neurons(values: dict[str, str], shape: list[int], bias: np.ndarray) -> FloatNeurons:
    _demand(values, "compare", "gt")
    _demand(values, "reset", "to 0.0")
    _demand(values, "v_init", "0.0")
    _demand(values, "refractory", "0")
    if "decay" in values:
        decay = _param(values["decay"], shape)
    elif "integrate" in values:
        decay = np.zeros(int(np.prod(shape)))
    else:
        raise Unreadable(f"neurons of {sorted(values)}")
    return FloatNeurons(decay, _param(values["threshold"], shape), bias)
