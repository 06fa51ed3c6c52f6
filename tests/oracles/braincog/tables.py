"""Compares the motif and genotype tables of `snnc` with those of BrainCog.

    snnc list motifs --format json > tables.json
    tables.py --braincog CHECKOUT --snnc-json tables.json

The JSON: `motifs` and, if there, `genotypes`, each a list of objects with `name`, `entries`,
optionally `feedback` and `concat`. An entry is `[operation, source]`. Operations of motifs are "+",
"-", "id", "zero" (their size is a gene), those of genotypes BrainCog's names without `_back`.
Feedback entries stand in `feedback`; entries that the code never executes (a last, incomplete group)
may be left out of `entries`. Exit status 0 = the tables agree, 1 = they do not.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import shims

Entry = tuple[str, int]


def kind(name: str) -> str:
    """The motif operation of a template entry: the size in the template is only a placeholder."""
    plain = name.removesuffix("_back")
    if plain == "skip_connect":
        return "id"
    if plain == "skip":
        return "zero"
    return {"p": "+", "n": "-"}[plain[-1]]


def split(normal: list[Entry], arity: int, motif: bool) -> tuple[list[Entry], list[Entry]]:
    """Forward entries as executed, in whole groups of `arity`, and feedback entries."""
    marked = [index for index, (name, _) in enumerate(normal) if "_back" in name]
    # From the first marked entry on, the code takes all as feedback, marked or not.
    begin = marked[0] if marked else len(normal)
    named = [(kind(name) if motif else name.removesuffix("_back"), source) for name, source in normal]
    forward = named[:begin]
    return forward[: len(forward) // arity * arity], named[begin:]


def compare(ours: dict[str, Any], theirs: Any, arity: int, motif: bool) -> list[str]:
    """What differs between one table of `snnc` and one of BrainCog."""
    forward, back = split(list(theirs.normal), arity, motif)
    entries = [(name, source) for name, source in ours["entries"]]
    found = []
    if entries[: len(forward)] != forward or len(entries) >= len(forward) + arity:
        found.append(f"{ours['name']}: entries {entries}, BrainCog {forward}")
    if [(entry[0], entry[1]) for entry in ours.get("feedback", [])] != back:
        found.append(f"{ours['name']}: feedback {ours.get('feedback', [])}, BrainCog {back}")
    if ours.get("concat", list(theirs.normal_concat)) != list(theirs.normal_concat):
        found.append(f"{ours['name']}: concat {ours['concat']}, BrainCog {list(theirs.normal_concat)}")
    return found


def tables(source: Any, genotype: type) -> dict[str, Any]:
    """Every genotype of a module."""
    return {name: value for name, value in vars(source).items() if type(value) is genotype}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--braincog", type=Path, required=True, help="checkout of BrainCog")
    parser.add_argument("--snnc-json", type=Path, required=True, help="the output of snnc")
    options = parser.parse_args()
    bc = shims.load(options.braincog.resolve())
    given = json.loads(options.snnc_json.read_text())
    found: list[str] = []
    count = 0
    for field, source in (("motifs", bc.motifs), ("genotypes", bc.genotypes)):
        if field not in given:
            continue
        theirs = tables(source, source.Genotype)
        ours = {table["name"]: table for table in given[field]}
        found += [f"{field}: {name} only on one side" for name in sorted(theirs.keys() ^ ours.keys())]
        for name in sorted(theirs.keys() & ours.keys()):
            motif = field == "motifs"
            arity = {"mm": 2, "m": 3, "t": 4}[name.rstrip("0123456789")] if motif else 2
            if ours[name].get("arity", arity) != arity:
                found.append(f"{name}: arity {ours[name]['arity']}, BrainCog {arity}")
            found += compare(ours[name], theirs[name], arity, motif)
            count += 1
    print("\n".join([*found, f"braincog tables: {count} compared, {len(found)} differences"]))
    return 1 if found or not count else 0


if __name__ == "__main__":
    sys.exit(main())
