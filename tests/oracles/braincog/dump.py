"""Records networks of BrainCog, or checks the shipped recordings against BrainCog.

    dump.py --braincog CHECKOUT --out FOLDER [--only NAME ...]    draw, run and write fixtures
    dump.py --braincog CHECKOUT --check FOLDER                    run the shipped ones again

For each network of `cases.py` three files: `NAME.genome.json`; `NAME.safetensors`, the state dict;
`NAME.trace.npz`: `input` (events `[steps, C, H, W]` of 0 and 1, or one image `[C, H, W]` of float32
that every step sees), for each population, under the name of its module, the spikes of all steps,
`[steps, bytes]`, neuron k of `C*H*W` in bit k % 8 of byte k // 8, `logits` (the output of the network)
and `meta`, JSON text as bytes: seed, versions, shape and firing rate of each population, margin.

Exit status of the check: 0 = no difference, 1 = some (printed).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

import nodes
import shims
from cases import CASES
from record import audit, record


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--braincog", type=Path, required=True, help="checkout of BrainCog")
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--out", type=Path, help="folder to write")
    mode.add_argument("--check", type=Path, help="folder to check")
    parser.add_argument("--only", nargs="*", default=[], help="names of the networks to write")
    options = parser.parse_args()
    torch.set_num_threads(1)
    bc = shims.load(options.braincog.resolve())
    if options.check:
        return check(bc, options.check)
    unknown = set(options.only) - {case.name for case in CASES}
    if unknown:
        raise SystemExit(f"no such network: {sorted(unknown)}")
    options.out.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        if not options.only or case.name in options.only:
            print(record(bc, case, options.out), flush=True)
    if not options.only:
        print(nodes.record(bc, options.out))
    return 0


def check(bc: object, folder: Path) -> int:
    """Compares every recording in `folder` with a new run."""
    found = nodes.audit(bc, folder)
    paths = sorted(folder.glob("*.genome.json"))
    missing = {case.name for case in CASES} - {path.name.removesuffix(".genome.json") for path in paths}
    found += [f"{name}: not in {folder}" for name in sorted(missing)]
    for path in paths:
        found += audit(bc, path)
    print("\n".join([*found, f"braincog: {len(paths)} networks, {len(found)} differences"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
