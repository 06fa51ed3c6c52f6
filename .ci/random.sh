#!/usr/bin/env bash
# Random networks and all small ones: random.sh EXAMPLE SCRATCH, with the path of the example `trust`.
set -euo pipefail
trust=$1
scratch=$2

# The same networks every time, and new ones with every change.
commit=$(git rev-parse --short=12 HEAD 2>/dev/null || echo 0)
fresh=$((16#${commit:0:12} % 1000000007))
echo "fresh seed: $fresh"
for seed in 2411 "$fresh"; do
    "$trust" random --cases 10000 --seed "$seed" --failures "$scratch/random-$seed" >"$scratch/random-$seed.log" ||
        { cat "$scratch/random-$seed.log"; exit 1; }
    tail -n 2 "$scratch/random-$seed.log"
done

"$trust" small --scope short | tee "$scratch/small.log"
