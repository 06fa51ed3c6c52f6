#!/usr/bin/env bash
# Prints the table of docs/folding.md: SCRATCH [GENES...]. Without numbers of genes only the shipped genomes; with them
# also ResNet-18 and VGG-16 (see examples/gee), which take minutes in a debug build: this one is a release build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scratch="$1"
shift
genomes=(
    examples/digits/digits.genome.json
    examples/mnist/mnist.genome.json
    examples/motif/cells.genome.json
    examples/small/{conv,genes,skip}.genome.json
)
for genes in "$@"; do
    for scheme in per_offset flat_fan_in; do
        for net in resnet18 vgg16; do
            cargo run --release --locked --quiet --example gee -- "$net" "$scheme" "$genes" "$scratch"
            genomes+=("$scratch/$net-$scheme-$genes.genome.json")
        done
    done
done
cargo run --release --locked --quiet --example folding -- "${genomes[@]}"
