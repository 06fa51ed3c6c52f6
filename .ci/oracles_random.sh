#!/usr/bin/env bash
# Random networks in four foreign emulators, each within what the emulator computes as we do: TRUST PYTHON SCRATCH,
# TRUST being the binary of the example `trust`. And altered artifacts, which have to be found.
set -euo pipefail
trust="$1" python="$2" scratch="$3/oracles_random"
mkdir -p "$scratch"
for line in "sanafe 40" "nengo 60" "brian2 50" "lava 8"; do
    read -r oracle cases <<<"$line"
    "$trust" corpus --oracle "$oracle" --cases "$cases" --seed 2 -o "$scratch/$oracle"
    "$python" tests/oracles/random_run.py "$scratch/$oracle"
    altered=10
    [ "$oracle" = lava ] && altered=3
    "$python" tests/oracles/random_control.py "$scratch/$oracle" --cases "$altered"
done
