#!/usr/bin/env bash
# Mappings held to their goals by a judge of its own: SNNC PYTHON SCRATCH. PYTHON is 3.11 or newer. See benches/peers/mapping.
# Processor time may miss its goal by a factor of 3: machines are busy. CARGO_TARGET_DIR and SNNC_PEERS name caches.
set -euo pipefail
snnc="$1" python="$2" scratch="$3/mapping"
export SNNC_PEERS="${SNNC_PEERS:-$scratch/peers}"
peers=benches/peers/mapping
mkdir -p "$scratch"
"$python" "$peers/selftest.py"
cargo run --quiet --release --locked -p snnc-mapping --example nets -- "$scratch/nets"
"$python" "$peers/compare.py" "$snnc" --nets "$scratch/nets" --goals --slower 3 \
    --peer-on lenet pilotnet --vertices pixels --peer-seeds 1 --markdown "$scratch.md"
