"""Converts a `gee-lab-genome` (JSON of integer genes) into a genome of format 1.0 for snnc.

    python convert_lab_genome.py SOURCE_DIR NAME OUT_DIR

reads NAME.json, NAME.npz and NAME_test.npz in SOURCE_DIR and writes to OUT_DIR

    NAME.genome.json   structure, neurons, decode rules
    NAME.safetensors   genes, float32 (every stored integer times its power of two is exact)
    test.npz           x: raw samples, y: labels
    gold.npz           an integer twin of the network and its spikes, for tests

Needs the Python standard library and numpy. The source multiplies row vectors,

    W[pre→post][i, j] = gain · Σ_ab E_pre[i, a] · G[a, b] · E_post[j, b],

while format 1.0 stores weights as [out, in], so the core written here is G transposed:

    W[j, i] = scale · Σ_ab E_post[j, a] · Gᵀ[a, b] · E_pre[i, b].
"""

import argparse
import hashlib
import io
import json
import struct
import textwrap
import zipfile
from pathlib import Path

import numpy as np

CHECK_SAMPLES = 3  # per weight


def exact_float32(integers, scale):
    """`integers * scale` as float32; refuses values that float32 cannot hold exactly."""
    wide = np.asarray(integers, np.float64) * scale
    narrow = wide.astype(np.float32)
    if not np.array_equal(narrow.astype(np.float64), wide):
        raise SystemExit("a gene is not exact in float32")
    return narrow


def write_safetensors(path, tensors):
    """Writes float32 tensors in the safetensors layout: header length, JSON header, raw data."""
    header, data = {}, b""
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array, "<f4").tobytes()
        header[name] = {
            "dtype": "F32",
            "shape": list(array.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def write_npz(path, arrays):
    """Like `numpy.savez_compressed`, with a fixed date and level so that bytes do not vary."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array), version=(1, 0))
            info = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, member.getvalue(), compresslevel=9)


def dump(value, indent=0, width=100):
    """JSON with one entry per line, except for containers that fit on a line; numbers fill lines."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or len(flat) + indent <= width:
        return flat
    pad = " " * (indent + 2)
    if isinstance(value, list) and not any(isinstance(v, (dict, list, str)) for v in value):
        text = textwrap.fill(flat[1:-1], width, initial_indent=pad, subsequent_indent=pad)
        return "[\n" + text + "\n" + " " * indent + "]"
    if isinstance(value, dict):
        body = [f"{pad}{json.dumps(k)}: {dump(v, indent + 2, width)}" for k, v in value.items()]
        return "{\n" + ",\n".join(body) + "\n" + " " * indent + "}"
    body = [pad + dump(v, indent + 2, width) for v in value]
    return "[\n" + ",\n".join(body) + "\n" + " " * indent + "]"


def convert(source, name, out):
    lab = json.loads((source / f"{name}.json").read_text())
    if lab["format"] != "gee-lab-genome" or lab["version"] != 1:
        raise SystemExit(f"{name}.json is not a gee-lab-genome of version 1")
    populations = {p["name"]: p for p in lab["populations"]}
    incoming = {}
    for projection in lab["projections"]:
        incoming.setdefault(projection["post"], []).append(projection)

    genes = lab["genes"]
    core = exact_float32(genes["interaction"], genes["interaction_scale"]).T
    beta = exact_float32(genes["bias"], genes["bias_scale"])
    tensors = {"gene.core": core, "gene.bias": beta}
    for p in populations.values():
        tensors[f"encoding.{p['name']}"] = exact_float32(p["encoding"], p["encoding_scale"])

    neurons, samples = {}, []
    nodes = [{"id": p["name"], "op": "input"} for p in populations.values() if p["role"] == "input"]
    for p in populations.values():
        if p["role"] == "input":
            continue
        post, currents = p["name"], []
        for k, projection in enumerate(incoming[post]):
            pre, scale = projection["pre"], projection["gain"] * projection["gain_scale"]
            node = {
                "id": f"{pre}_{post}",
                "op": "linear",
                "in": [{"node": pre, "delay": projection["delay"]}],
                "weight": {
                    "encoded": {
                        "scheme": "linear",
                        "out": post,
                        "core": "core",
                        "in": pre,
                        "scale": scale,
                        "post": "none",
                    }
                },
            }
            if k == 0:
                node["bias"] = {"encoded": {"out": post, "beta": "bias"}}
            nodes.append(node)
            currents.append(node["id"])
            e_out = tensors[f"encoding.{post}"].astype(np.float64)
            e_in = tensors[f"encoding.{pre}"].astype(np.float64)
            weight = (scale * (e_out @ (core.astype(np.float64) @ e_in.T))).astype(np.float32).ravel()
            for index in np.argsort(-np.abs(weight), kind="stable")[:CHECK_SAMPLES]:
                samples.append([node["id"], int(index), float(weight[index])])
        if len(currents) > 1:
            nodes.append({"id": f"{post}_current", "op": "add", "in": currents})
            currents = [f"{post}_current"]
        nodes.append({"id": post, "op": "neuron", "in": currents, "neuron": post})
        neurons[post] = {
            "model": "lif",
            "decay": p["decay"] / lab["neuron"]["decay_unit"],
            "threshold": p["threshold"],
            "compare": "gt",
            "reset": {"kind": "to", "value": 0.0},
            "v_init": 0.0,
            "refractory": 0,
            "dt": 1.0,
        }

    out.mkdir(parents=True, exist_ok=True)
    sidecar = out / f"{name}.safetensors"
    write_safetensors(sidecar, tensors)
    readout = lab["readout"]["population"]
    measured = lab["provenance"]["measured"]
    genome = {
        "format": "snnc-genome",
        "version": "1.0",
        "kind": "gee",
        "name": name,
        "provenance": {
            "exporter": "convert_lab_genome.py",
            "source": f"{lab['format']} {lab['version']}",
            "plan": lab["provenance"]["plan"],
            "evolution": lab["provenance"]["evolution"],
            "measured": {k: v for k, v in measured.items() if not k.endswith("_s")},
        },
        "time": {"steps": lab["time"]["t_run"], "order": "step_major"},
        "input": {
            "coding": "accumulator",
            "shape": [1, *lab["input"]["shape"]],
            "pmax": lab["input"]["pmax"],
            "steps_in": lab["time"]["t_in"],
        },
        "readout": {"kind": "spike_count", "node": readout, "classes": populations[readout]["size"]},
        "neurons": neurons,
        "tensors": {
            "file": sidecar.name,
            "format": "safetensors",
            "sha256": hashlib.sha256(sidecar.read_bytes()).hexdigest(),
        },
        "genes": {
            "count": genes["count"],
            "interactions": {"core": {"tensor": "gene.core"}},
            "encodings": {p: {"tensor": f"encoding.{p}"} for p in populations},
            "vectors": {"bias": {"tensor": "gene.bias"}},
        },
        "nodes": nodes,
        "check": {"abs_tol": 1e-6, "samples": samples},
    }
    (out / f"{name}.genome.json").write_text(dump(genome) + "\n")

    test, twin = np.load(source / f"{name}_test.npz"), np.load(source / f"{name}.npz")
    write_npz(out / "test.npz", {"x": test["x"], "y": test["y"]})
    gold = {k: test[k] for k in test.files if k.startswith("gold_") or k == "int_pred"}
    prefixes = ("scale_", "theta_int_", "bias_int_", "Wint_")
    gold |= {k: twin[k] for k in twin.files if k.startswith(prefixes)}
    write_npz(out / "gold.npz", gold)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="folder of NAME.json, NAME.npz, NAME_test.npz")
    parser.add_argument("name", help="digits, mnist, …")
    parser.add_argument("out", type=Path, help="folder to write to")
    arguments = parser.parse_args()
    convert(arguments.source, arguments.name, arguments.out)
