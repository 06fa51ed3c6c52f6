#!/usr/bin/env python3
"""Makes the first files of every corpus from fixtures, examples and what the compiler writes.

    tests/fuzz/seeds.py SNNC CORPUS

Files are called seed-...; what fuzzing adds beside them has other names.
"""

import io
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests/fixtures"
EXAMPLES = ROOT / "examples"


def snnc(program, *words):
    done = subprocess.run([program, *map(str, words)], capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


class Corpus:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        for old in self.folder.glob("*/seed-*"):
            old.unlink()

    def add(self, reader, name, data, limit=40_000):
        if data is None:
            raise SystemExit(f"{reader}: no {name}")
        if isinstance(data, str):
            data = data.encode()
        if len(data) > limit:
            return
        folder = self.folder / reader
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"seed-{name}").write_bytes(data)


def safetensors(tensors):
    header, data = {}, b""
    for name, (dtype, shape, raw) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def floats(*values, form="f"):
    return struct.pack(f"<{len(values)}{form}", *values)


def side_cars(corpus):
    ramp = lambda n, form="f": floats(*[(i * 7 % 5 - 2) / 4 for i in range(n)], form=form)
    ones = lambda n: floats(*[1.0 + i / 8 for i in range(n)])
    dense = {
        "c.weight": ("F32", [2, 1, 2, 2], ramp(8)),
        "c.bias": ("F64", [2], ramp(2, "d")),
        "n.weight": ("F32", [2], ones(2)),
        "n.bias": ("F32", [2], ramp(2)),
        "n.running_mean": ("F32", [2], ramp(2)),
        "n.running_var": ("F32", [2], ones(2)),
        "n.num_batches_tracked": ("I64", [], struct.pack("<q", 5)),
        "h.tau": ("F32", [2], ones(2)),
        "h.threshold": ("F32", [], ones(1)),
        "y.weight": ("F32", [2, 8], ramp(16)),
    }
    corpus.add("safetensors", "dense", safetensors(dense))
    integers = dict(dense)
    integers["c.weight"] = ("I8", [2, 1, 2, 2], bytes([1, 255, 2, 0, 3, 1, 0, 128]))
    integers["y.weight"] = ("BF16", [2, 8], struct.pack("<16H", *[0x3F80 + 16 * i for i in range(16)]))
    integers["h.tau"] = ("F16", [2], struct.pack("<2e", 1.5, 2.5))
    integers["c.bias"] = ("BOOL", [2], b"\x01\x00")
    corpus.add("safetensors", "types", safetensors(integers))
    encoded = {
        "core": ("F32", [3, 2], ramp(6)),
        "enc.x": ("F32", [4, 2], ramp(8)),
        "enc.out": ("F64", [2, 3], ramp(6, "d")),
        "beta": ("U8", [3], b"\x01\x00\x02"),
        "out.w": ("F32", [2], ramp(2)),
    }
    corpus.add("safetensors", "encoded", safetensors(encoded))
    corpus.add("safetensors", "neither", (FIXTURES / "braincog/mm0.safetensors").read_bytes())


def npy(descr, shape, raw, fortran=False):
    header = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {tuple(shape)}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + raw


def npz(arrays, stored=True):
    out = io.BytesIO()
    kind = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(out, "w", kind) as archive:
        for name, array in arrays.items():
            archive.writestr(zipfile.ZipInfo(name + ".npy"), array, kind)
    return out.getvalue()


def archives(corpus):
    raster = bytes(1 if i % 3 == 0 else 0 for i in range(3 * 20 * 12))
    frames = floats(*[(i % 3) - 1 for i in range(12)])
    labels = npy("<i8", [3], struct.pack("<3q", 0, 2, 1))
    files = {
        "spikes": {"spikes_in": npy("|u1", [3, 20, 12], raster), "y": labels},
        "plain": {"spikes": npy("|b1", [3, 20, 12], raster)},
        "raw": {"x_in": npy("<u2", [3, 1, 3, 4], struct.pack("<36H", *[i % 17 for i in range(36)])), "y": labels},
        "two": {"spikes_a": npy("|i1", [3, 20, 12], raster), "x_b": npy("<f4", [3, 2, 2], frames)},
        "order": {"x": npy(">f8", [3, 12], struct.pack(">36d", *[i % 5 for i in range(36)]), True)},
    }
    for name, arrays in files.items():
        for stored in (True, False):
            which = name if stored else name + "-deflated"
            corpus.add("stimulus", which, npz(arrays, stored))
            corpus.add("npz", which, npz(arrays, stored))
    for path in sorted(FIXTURES.glob("*.npz"))[:8]:
        corpus.add("npz", path.stem, path.read_bytes(), 8_000)


def genomes(corpus):
    found = sorted(FIXTURES.glob("*.genome.json")) + sorted(EXAMPLES.glob("small/*.json"))
    found += [EXAMPLES / "digits/digits.genome.json", EXAMPLES / "mnist/mnist.genome.json"]
    found += sorted(FIXTURES.glob("braincog/*.genome.json"))[::4] + [EXAMPLES / "motif/cells.genome.json"]
    for path in found:
        name = path.name.removesuffix(".genome.json")
        corpus.add("genome", name, path.read_bytes())
    searched = sorted(FIXTURES.glob("braincog/*.genome.json")) + sorted(EXAMPLES.glob("motif/*.genome.json"))
    for path in searched + [EXAMPLES / "small/motif.genome.json"]:
        genome = json.loads(path.read_text())
        if "search" not in genome or genome["search"].get("family") == "explicit":
            continue
        name = path.name.removesuffix(".genome.json")
        genome.pop("tensors", None)
        corpus.add("search", name, json.dumps(genome))
    for path in sorted(FIXTURES.glob("tennlab/*.json")) + sorted(EXAMPLES.glob("tennlab/*.json")):
        corpus.add("tennlab", path.stem, path.read_text(), 8_000)


def graphs(corpus):
    for path in sorted(FIXTURES.glob("nir/*.nir")) + sorted(EXAMPLES.glob("nir/*.nir")):
        corpus.add("nir", path.stem, path.read_bytes())
    for path in sorted((ROOT / "frontend/tests").rglob("*.nir")):
        corpus.add("nir", "own-" + path.stem, path.read_bytes(), 30_000)


def levels(corpus, program, scratch):
    cases = {
        "skip": "tests/fixtures/skip.genome.json",
        "loop": "tests/fixtures/loop.genome.json",
        "bias": "tests/fixtures/bias.genome.json",
        "thresholds": "tests/fixtures/thresholds.genome.json",
        "loop_leaky": "tests/fixtures/loop_leaky.genome.json",
        "subtract": "tests/fixtures/subtract.genome.json",
        "conv": "examples/small/conv.genome.json",
        "clips": "tests/fixtures/clips.genome.json",
        "frame": "tests/fixtures/frame.genome.json",
        "genes": "examples/small/genes.genome.json",
        "motif": "examples/small/motif.genome.json",
        "filtered": "tests/fixtures/filtered.snn",
        "chain": "tests/fixtures/netx/chain.snn",
        "tennlab": "tests/fixtures/tennlab/mixed.json",
    }
    for name, path in cases.items():
        source, target = ROOT / path, "loihi1" if name in ("loop", "bias", "thresholds") else "loihi2"
        for stage in ("network", "quantized", "scheduled", "mapped"):
            text = snnc(program, "compile", source, "-t", target, "--emit", stage)
            if text is None:
                continue
            corpus.add("text", f"{name}-{stage}", text, 12_000)
            if stage in ("network", "quantized"):
                corpus.add("compile", f"{name}-{stage}", text, 12_000)
            (scratch / "a.snn").write_bytes(text)
            snnc(program, "convert", scratch / "a.snn", "-o", scratch / "a.snnb")
            corpus.add("binary", f"{name}-{stage}", (scratch / "a.snnb").read_bytes(), 12_000)
            (scratch / "a.snnb").unlink()
        artifact = scratch / name
        snnc(program, "compile", source, "-t", target, "-o", artifact)
        if artifact.is_dir():
            corpus.add("program", name, (artifact / "program.snnb").read_bytes(), 12_000)
            corpus.add("manifest", name, (artifact / "manifest.json").read_bytes(), 20_000)
            if (artifact / "network.net").is_file():
                corpus.add("netx", name, (artifact / "network.net").read_bytes(), 30_000)
            if name in ("skip", "loop"):
                corpus.add("certificate", name, (artifact / "certificate.json").read_bytes())
    for form in ("mm0", "t3"):
        text = snnc(program, "convert", FIXTURES / f"braincog/{form}.genome.json", "-o", scratch / "b.snn")
        if text is not None:
            corpus.add("text", form, (scratch / "b.snn").read_bytes(), 30_000)


def recipes(corpus, program, scratch):
    genome = FIXTURES / "skip.genome.json"
    for bits in (8, 4, 1):
        folder = scratch / f"q{bits}"
        snnc(program, "quantize", genome, "-t", "loihi2", "-o", folder, "--weight-bits", bits)
        corpus.add("recipe_binary", f"bits{bits}", (folder / "recipe.snnb").read_bytes())
        snnc(program, "convert", folder / "recipe.snnb", "-o", scratch / "r.json")
        corpus.add("recipe_json", f"bits{bits}", (scratch / "r.json").read_bytes())
    corpus.add("recipe_json", "empty", "{}")
    partial = '{"schema":"snnc-recipe/1","settings":{"weight_bits":4},"populations":[{"name":"a","scale":{"uniform":20.5}}]}'
    corpus.add("recipe_json", "partial", partial)


def recordings(corpus, program, scratch):
    genome, stimulus = FIXTURES / "skip.genome.json", FIXTURES / "skip.npz"
    words = ["run", genome, "--stimulus", stimulus, "--samples", "2"]
    snnc(program, *words, "--spikes", scratch / "a.nir", "--events", scratch / "e.nir")
    for name in ("a", "e"):
        corpus.add("recording", name, (scratch / f"{name}.nir").read_bytes(), 60_000)
        corpus.add("nir", f"recording-{name}", (scratch / f"{name}.nir").read_bytes(), 60_000)


def settings(corpus, program):
    for path in sorted((ROOT / "backends/targets").glob("*.toml")):
        corpus.add("target", path.stem, path.read_bytes())
    # All but the one that takes seconds to map.
    for path in sorted(set(EXAMPLES.glob("layers/*.toml")) - {EXAMPLES / "layers/billion.toml"}):
        corpus.add("layers", path.stem, path.read_bytes(), 8_000)
    corpus.add(
        "layers",
        "tiny",
        'name = "tiny"\nsource = "s"\n[[layer]]\nname = "p"\nshape = [3, 8, 8]\ninput = true\n[[layer]]\nname = "c"\n'
        'channels = 4\nreads = [{ from = "p", kind = "conv", kernel = 3, padding = 1 }]\n',
    )
    corpus.add(
        "config",
        "all",
        '[quantize]\nweight-bits = 6\ngroups = "split"\nscales = "neuron"\nmax-exponent = 2\n'
        '[[quantize.projection]]\nfrom = "in"\nto = "a"\nnth = 0\nweight-bits = 3\nsplit = false\n',
    )
    corpus.add("config", "few", "[quantize]\nweight-bits = 3\n")
    for n, text in enumerate(("4 5\n1 2\n2 3 4\n5 1\n3 5\n", "2 3 1\n100 1 2\n50 2 3\n", "2 3 11\n10 1 2\n5 2 3\n1\n2\n1\n", "% c\n0 4\n")):
        corpus.add("hypergraph", str(n), text)
    manifest = json.loads((pathlib.Path(corpus.folder) / "manifest/seed-skip").read_text())
    corpus.add("pipeline", "skip", manifest["pipeline"])
    corpus.add("pipeline", "short", "quantize,schedule{delays=relay},map,place")
    corpus.add("pipeline", "options", "lower-genes{ how = dense } , fold-batchnorm")


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    program, corpus = sys.argv[1], Corpus(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        side_cars(corpus)
        archives(corpus)
        genomes(corpus)
        graphs(corpus)
        levels(corpus, program, scratch)
        recipes(corpus, program, scratch)
        recordings(corpus, program, scratch)
        settings(corpus, program)


main()
