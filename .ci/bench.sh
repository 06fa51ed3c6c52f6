#!/usr/bin/env bash
# The workloads of `snnc bench` spike as often as they did, on any number of threads, and as often as in other simulators: SNNC
# SCRATCH [PYTHON]. Times are printed and not judged: `compare.py --goals` does that (benches/peers/simulators). SNNC_PEERS names a
# cache of those simulators; without PYTHON, 3.11, they are left out.
set -euo pipefail
snnc="$1" scratch="$2/bench" python="${3:-}"
mkdir -p "$scratch"
expect() {
    local workload="$1" batch="$2" spikes="$3"
    "$snnc" bench "$workload" --batch "$batch" --repeat 1 --threads 2 --json "$scratch/report.json"
    # On one thread and on two.
    [ "$(grep -c "\"spikes\": $spikes,\?$" "$scratch/report.json")" = 2 ] || {
        echo "$workload of $batch samples: expected $spikes spikes, on one thread and on two" >&2
        cat "$scratch/report.json" >&2
        exit 1
    }
}
expect W1 1 5479
expect W1 256 1419479
expect W1i 256 1419319
expect W2 16 194351
expect W3 1 260448
expect W4 1 259802
"$snnc" bench W2 --write "$scratch"
test -s "$scratch/w2-b16.npz"
"$snnc" bench W4 --write "$scratch"
"$snnc" bench --load "$scratch/w4.snnb"
if [ -n "$python" ]; then
    peers=benches/peers/simulators
    export SNNC_PEERS="${SNNC_PEERS:-$scratch/peers}"
    "$python" "$peers/selftest.py"
    "$python" "$peers/compare.py" "$snnc" --quick --repeat 1 --only w1-b1 w1-b256 w2-b16 --peers pytorch spikingjelly snntorch
    "$python" "$peers/compare.py" "$snnc" --quick --repeat 1 --only w3-b1
fi
