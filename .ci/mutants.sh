#!/usr/bin/env bash
# Mutated artifacts, the short version: EXAMPLE_BINARY SCRATCH, with the release binary of examples/trust.
# 50 mutants of each class: what computes something else is rejected, what is written otherwise is proved equal.
set -euo pipefail
trust="$1" scratch="$2"

"$trust" mutants --each 50 --seed 20 | tee "$scratch/mutants.txt"
# A class of which no mutant could be made would show nothing; those of network.net have networks of their own.
awk '$1 ~ /^(broken|equivalent|damaged|export)$/ { classes++; if ($3 == 0) { print "no mutants of " $2; failed = 1 } }
    $2 ~ /^netx-/ && $3 < 50 { print "only " $3 " mutants of " $2; failed = 1 }
    END { if (classes < 100) { print classes " classes"; failed = 1 } exit failed }' "$scratch/mutants.txt"
