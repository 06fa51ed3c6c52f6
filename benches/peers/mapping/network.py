"""Networks as files state them: hypergraphs (hMETIS) and layer files, read by code of its own.

A network knows the neurons that every axon reaches, and so which cores: `Axons`. Neither the mapper under test nor the partitioner
beside it has a part in that.
"""

import tomllib
from dataclasses import dataclass

import numpy as np


@dataclass
class Axons:
    """What a partition has to say about axons: one entry for each axon."""

    rates: np.ndarray
    """Spikes."""
    copies: np.ndarray
    """Cores that hold the source or a target, less one."""
    inputs: np.ndarray
    """For each core: axons with a target there."""


class Hypergraph:
    """A hypergraph in hMETIS' format. The first pin of an edge is its source, weights are 100 times rates."""

    def __init__(self, path):
        rows = [line.split() for line in open(path, encoding="ascii") if not line.startswith("%")]
        rows = [row for row in rows if row]
        edges, vertices = int(rows[0][0]), int(rows[0][1])
        form = rows[0][2] if len(rows[0]) > 2 else "0"
        rated, weighted = form in ("1", "01", "11"), form in ("10", "11")
        if len(rows) != 1 + edges + vertices * weighted:
            raise ValueError(f"{path}: {len(rows)} lines do not make {edges} edges of format {form}")
        lists = [np.array(row, dtype=np.int64) for row in rows[1 : 1 + edges]]
        self.rates = np.array([row[0] if rated else 100 for row in lists]) / 100
        lists = [row[rated:] - 1 for row in lists]
        self.sources = np.array([row[0] for row in lists])
        self.edges = np.repeat(np.arange(edges), [len(row) - 1 for row in lists])
        self.targets = np.concatenate([row[1:] for row in lists])
        self.weights = np.ones(vertices, dtype=np.int64)
        if weighted:
            self.weights = np.array([int(row[0]) for row in rows[1 + edges :]])

    def axons(self, core):
        """`core` has the core of each vertex, −1 where it has none."""
        cores = core.max() + 1
        of_targets = core[self.targets]
        on_core = of_targets >= 0
        reached = np.unique(self.edges[on_core] * cores + of_targets[on_core])
        inputs = np.bincount(reached % cores, minlength=cores)
        own = core[self.sources]
        at_source = np.arange(len(own))[own >= 0] * cores + own[own >= 0]
        touched = np.bincount(np.union1d(reached, at_source) // cores, minlength=len(own))
        return Axons(self.rates, np.maximum(touched - 1, 0), inputs)

    def write(self, path):
        """Writes it for partitioners: every pin once, the source first."""
        targets = np.split(self.targets, np.searchsorted(self.edges, np.arange(1, len(self.rates))))
        with open(path, "w", encoding="ascii") as file:
            file.write(f"{len(self.rates)} {len(self.weights)} 11\n")
            for rate, source, row in zip(self.rates, self.sources, targets):
                pins = [source, *np.unique(row[row != source])]
                file.write(edge(rate, pins))
            file.writelines(f"{weight}\n" for weight in self.weights)


@dataclass
class Read:
    """One connection. Pooling and repetition have as many groups as channels, dense ones a window as large as the source."""

    source: int
    kernel: list
    stride: list
    padding: list
    groups: int

    def taps(self, axis, sources, targets):
        """For each place of the window: the targets for which it exists, and the sources there."""
        for tap in range(self.kernel[axis]):
            target = np.arange(targets)
            source = target * self.stride[axis] - self.padding[axis] + tap
            inside = (source >= 0) & (source < sources)
            yield target[inside], source[inside]


class Layers:
    """A layered network by its shapes, and the rates of its neurons."""

    def __init__(self, path, rates):
        with open(path, "rb") as file:
            text = tomllib.load(file)
        self.names, self.shapes, self.inputs, self.reads = [], [], [], []
        for layer in text["layer"]:
            self._add(layer)
        sizes = [channels * height * width for channels, height, width in self.shapes]
        self.starts = np.concatenate([[0], np.cumsum(sizes)])
        self.weights = np.concatenate(
            [np.full(size, 0 if outside else 1) for size, outside in zip(sizes, self.inputs)]
        )
        if len(rates) != len(self.weights):
            raise ValueError(f"{path}: {len(self.weights)} neurons, {len(rates)} rates")
        self.rates = rates.astype(np.float64)

    def _add(self, layer):
        reads = [self._read(entry, layer) for entry in layer.get("reads", [])]
        shape = layer.get("shape")
        if shape is None:
            first, (channels, height, width) = reads[0], self.shapes[reads[0].source]
            size = [
                (length + 2 * first.padding[axis] - first.kernel[axis]) // first.stride[axis] + 1
                for axis, length in enumerate((height, width))
            ]
            shape = [layer.get("channels", channels), *layer.get("keep", size)]
        self.names.append(layer["name"])
        self.shapes.append(tuple(shape))
        self.inputs.append(layer.get("input", False))
        self.reads.append(reads)

    def _read(self, entry, layer):
        names = [*self.names, layer["name"]]
        source = names.index(entry["from"])
        shape = self.shapes[source] if source < len(self.shapes) else layer["shape"]
        pair = lambda value: value if isinstance(value, list) else [value, value]
        kind = entry["kind"]
        if kind == "dense":
            return Read(source, list(shape[1:]), [1, 1], [0, 0], 1)
        if kind == "same":
            return Read(source, [1, 1], [1, 1], [0, 0], shape[0])
        kernel = pair(entry["kernel"])
        stride = pair(entry.get("stride", kernel if kind == "pool" else 1))
        groups = shape[0] if kind == "pool" else entry.get("groups", 1)
        return Read(source, kernel, stride, pair(entry.get("padding", 0)), groups)

    def reached(self, layer, marks):
        """Who an axon of each neuron of `layer` reaches. `marks` has a row of flags for each neuron of the network; the result is the
        union of the rows of the targets: [height, width, channels, flags]."""
        channels, height, width = self.shapes[layer]
        result = np.zeros((height, width, channels, marks.shape[1]), dtype=bool)
        for target, reads in enumerate(self.reads):
            for read in (read for read in reads if read.source == layer):
                outputs, rows, columns = self.shapes[target]
                rest = marks[self.starts[target] : self.starts[target + 1]]
                rest = rest.reshape(rows, columns, read.groups, outputs // read.groups, -1)
                union = rest.any(axis=3)
                seen = np.zeros((height, width, read.groups, marks.shape[1]), dtype=bool)
                for to_row, from_row in read.taps(0, height, rows):
                    for to_column, from_column in read.taps(1, width, columns):
                        seen[np.ix_(from_row, from_column)] |= union[np.ix_(to_row, to_column)]
                result |= np.repeat(seen, channels // read.groups, axis=2)
        return result

    def axons(self, core):
        """`core` has the core of each neuron, −1 where it has none."""
        cores = core.max() + 1
        marks = np.zeros((len(core), cores), dtype=bool)
        on_core = np.flatnonzero(core >= 0)
        marks[on_core, core[on_core]] = True
        inputs, copies = np.zeros(cores, dtype=np.int64), []
        for layer, (start, end) in enumerate(zip(self.starts, self.starts[1:])):
            reached = self.reached(layer, marks).reshape(end - start, cores)
            inputs += reached.sum(axis=0)
            copies.append(np.maximum((reached | marks[start:end]).sum(axis=1) - 1, 0))
        return Axons(self.rates, np.concatenate(copies), inputs)

    def channels_of_pixels(self):
        """Channels of every pixel, layer by layer."""
        return np.concatenate([np.full(height * width, channels) for channels, height, width in self.shapes])

    def write(self, path, pixels):
        """Writes it for partitioners: neurons are vertices, or pixels with all their channels. The source of an edge comes first; neurons
        that no one reads have no edge, and none reads itself."""
        counts = [height * width for _, height, width in self.shapes]
        firsts = np.concatenate([[0], np.cumsum(counts)]) if pixels else self.starts
        lines = []
        for layer, (channel_count, _, width) in enumerate(self.shapes):
            for pixel in range(counts[layer]):
                lines += self._edges(layer, pixel, divmod(pixel, width), channel_count, firsts, pixels)
        weights = self.channels_of_pixels() if pixels else self.weights
        with open(path, "w", encoding="ascii") as file:
            file.write(f"{len(lines)} {len(weights)} 11\n")
            file.writelines(lines)
            file.writelines(f"{weight}\n" for weight in weights)

    def _edges(self, layer, pixel, place, channels, firsts, pixels):
        """Lines of the axons of one pixel's neurons."""
        shared, single = set(), [set() for _ in range(channels)]
        for target, reads in enumerate(self.reads):
            for read in (read for read in reads if read.source == layer):
                outputs, rows, columns = self.shapes[target]
                near = [
                    [t for t in range(length) if 0 <= at + pad - t * stride < kernel]
                    for length, at, pad, stride, kernel in zip(
                        (rows, columns), place, read.padding, read.stride, read.kernel
                    )
                ]
                reached = [row * columns + column for row in near[0] for column in near[1]]
                if pixels:
                    shared.update(firsts[target] + other for other in reached)
                    continue
                size = outputs // read.groups
                for group in range(read.groups):
                    block = range(group * size, (group + 1) * size)
                    neurons = [firsts[target] + o * outputs + c for o in reached for c in block]
                    if read.groups == 1:
                        shared.update(neurons)
                        continue
                    inputs = channels // read.groups
                    for channel in range(group * inputs, (group + 1) * inputs):
                        single[channel].update(neurons)
        first = self.starts[layer] + pixel * channels
        if pixels:
            own = firsts[layer] + pixel
            rate = self.rates[first : first + channels].sum()
            return [edge(rate, [own, *sorted(shared - {own})])] if shared else []
        text = " ".join(str(pin + 1) for pin in sorted(shared))
        lines = []
        for channel, other in enumerate(single):
            own = first + channel
            if shared or other:
                pins = [own, *sorted(other - shared - {own})]
                lines.append(edge(self.rates[own], pins, text))
        return lines


def edge(rate, pins, text=""):
    """A line of a file. Partitioners take weights above 0 only. `text` has pins that are written already."""
    return f"{max(1, round(rate * 100))} {' '.join(str(pin + 1) for pin in pins)} {text}\n"
