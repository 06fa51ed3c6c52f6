#!/usr/bin/env bash
# The workloads of `snnc bench` spike as often as they did, on any number of threads, and can be written: SNNC SCRATCH. Times
# are printed and not judged.
set -euo pipefail
snnc="$1" scratch="$2/bench"
mkdir -p "$scratch"
expect() {
    local workload="$1" batch="$2" spikes="$3"
    for threads in 1 2; do
        "$snnc" bench "$workload" --batch "$batch" --repeat 1 --threads "$threads" --json "$scratch/report.json"
        grep -q "\"spikes\": $spikes," "$scratch/report.json" || {
            echo "$workload of $batch samples on $threads threads: expected $spikes spikes" >&2
            cat "$scratch/report.json" >&2
            exit 1
        }
    done
}
expect W1 1 5479
expect W1 256 1419479
expect W2 16 194351
expect W3 1 289329
expect W4 1 288940
"$snnc" bench W2 --write "$scratch"
test -s "$scratch/w2-b16.npz"
