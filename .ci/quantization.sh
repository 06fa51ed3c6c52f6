#!/usr/bin/env bash
# Quantizers side by side on the same float networks, with the goals that ours has to meet: SNNC PYTHON SCRATCH.
# PYTHON is that of the foreign oracles (tests/oracles/setup.sh). See docs/oracles.md.
set -euo pipefail
snnc="$1" python="$2" scratch="$3/quantization"
"$python" tests/oracles/quantization/selftest.py
"$python" tests/oracles/quantization/compare.py "$snnc" "$scratch" --markdown "$scratch.md"
