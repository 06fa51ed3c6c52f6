"""Writes the NIR fixtures: nir_fixtures.py FOLDER. Run it with the environment of nir_setup.sh.

The graphs are those of nir_graphs.py as the `nir` package writes them; the others are made with h5py:
layouts of older versions and of other writers.
"""

import pathlib
import sys

import h5py
import nir
import numpy as np

from nir_graphs import graphs, recording

TEXT = h5py.string_dtype()


def group(parent, name, kind, **datasets):
    made = parent.create_group(name)
    made.create_dataset("type", data=kind, dtype=TEXT)
    for key, value in datasets.items():
        made.create_dataset(key, data=value)
    return made


def graph(path, version="0.2.0", text=TEXT, edges=()):
    """An open file with an empty graph, and its group of nodes."""
    file = h5py.File(path, "w")
    if version is not None:
        file.create_dataset("version", data=version, dtype=text)
    node = file.create_group("node")
    node.create_dataset("type", data="NIRGraph", dtype=text)
    node.create_dataset("edges", data=np.array(edges, dtype=object), dtype=TEXT)
    return file, node.create_group("nodes")


def older(path):
    """Version 0.2: no v_reset, no w_in, no input_shape, numbers instead of pairs."""
    ones = np.ones(4, np.float32)
    file, nodes = graph(path, edges=[("in", "c"), ("c", "f"), ("f", "n"), ("n", "out")])
    with file:
        group(nodes, "in", "Input", shape=np.array([1, 4, 4]))
        weight = np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3)
        group(nodes, "c", "Conv2d", weight=weight, bias=np.zeros(1, np.float32), stride=1,
              padding=0, dilation=1, groups=1)
        group(nodes, "f", "Flatten", start_dim=0, end_dim=-1, input_type=np.array([1, 2, 2]))
        group(nodes, "n", "CubaLIF", tau_syn=ones, tau_mem=ones, r=ones, v_leak=0 * ones,
              v_threshold=ones)
        group(nodes, "out", "Output", shape=np.array([4]))


def foreign(path):
    """Strings of fixed length, big-endian numbers, half precision, numbers without extents."""
    fixed = h5py.string_dtype("utf-8", 12)
    file, nodes = graph(path, version=None, edges=[("in", "w"), ("w", "n"), ("n", "out")])
    with file:
        for name, kind in [("in", "Input"), ("w", "Linear"), ("n", "LIF"), ("out", "Output")]:
            nodes.create_group(name).create_dataset("type", data=kind, dtype=fixed)
        nodes["in"].create_dataset("shape", data=np.array([2], ">i4"))
        nodes["w"].create_dataset("weight", data=np.array([[1, 2], [3, 4.5], [0, -1]], np.float16))
        nodes["n"].create_dataset("tau", data=np.array([0.01, 0.02, 0.03], ">f8"))
        nodes["n"].create_dataset("r", data=np.float32(1.0))
        nodes["n"].create_dataset("v_leak", data=np.int8(0))
        nodes["n"].create_dataset("v_threshold", data=np.float64(1.0))
        nodes["out"].create_dataset("shape", data=np.array([3.0]))


def single_numbers(path):
    """A neuron all of whose parameters have no extents, and no edges of its own shape."""
    file, nodes = graph(path, edges=[("in", "n"), ("n", "out")])
    with file:
        group(nodes, "in", "Input", shape=np.array([2, 3]))
        group(nodes, "n", "IF", r=np.float32(1), v_threshold=np.float32(0.5))
        group(nodes, "out", "Output", shape=np.array([2, 3]))


def endless(path):
    """A group that contains itself."""
    file, nodes = graph(path, edges=[("in", "out")])
    with file:
        group(nodes, "in", "Input", shape=np.array([2]))
        group(nodes, "out", "Output", shape=np.array([2]))
        nodes["again"] = file["node"]


def links(path):
    """Links to other places and to nowhere."""
    file, nodes = graph(path, edges=[("in", "out")])
    with file:
        group(nodes, "in", "Input", shape=np.array([2]))
        nodes["out"] = h5py.SoftLink("/node/nodes/in")
        nodes["gone"] = h5py.SoftLink("/nowhere")


def claims(path):
    """A dataset that claims 2^60 elements, none of which is stored."""
    file, nodes = graph(path, edges=[("in", "out")])
    with file:
        group(nodes, "in", "Input", shape=np.array([2]))
        made = group(nodes, "out", "Linear")
        made.create_dataset("weight", shape=(1 << 30, 1 << 30), dtype="f4", chunks=(64, 64))


def twice(path):
    """A megabyte of zeros, deflated twice to a few bytes."""
    file, nodes = graph(path, edges=[("in", "out")])
    with file:
        group(nodes, "in", "Input", shape=np.array([2]))
        made = group(nodes, "out", "Linear")
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_obj_track_times(False)
        plist.set_chunk((512, 512))
        plist.set_deflate(9)
        plist.set_deflate(9)
        space = h5py.h5s.create_simple((512, 512))
        data = h5py.h5d.create(made.id, b"weight", h5py.h5t.NATIVE_FLOAT, space, plist)
        data.write(h5py.h5s.ALL, h5py.h5s.ALL, np.zeros((512, 512), np.float32))


def main(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, made in graphs().items():
        nir.write(folder / f"{name}.nir", made, compression=None)
    # As 1.0.8 does it by default, once.
    nir.write(folder / "compressed.nir", graphs()["recurrent"])
    nir.write_data(folder / "recording.nir", recording(), compression=None)
    for make in (older, foreign, single_numbers, endless, links, claims, twice):
        make(folder / f"{make.__name__}.nir")


if __name__ == "__main__":
    main(sys.argv[1])
