#!/usr/bin/env bash
# NIR files beside the `nir` package: SNNC SCRATCH CACHE. What `nir` writes and `snnc` rewrites, `nir` reads
# back equal; the shipped fixtures are those that the script writes. Recordings of other simulators are repeated: by
# `snnc`, and by those simulators if CACHE/nir-simulators has them (tests/oracles/nir_simulators/setup.sh).
set -euo pipefail
snnc="$1" scratch="$2/nir" cache="$3"
mkdir -p "$scratch"
tests/oracles/nir_setup.sh "$cache/nir"
python="$cache/nir/bin/python"
"$python" tests/oracles/nir_fixtures.py "$scratch/fixtures"
diff -r "$scratch/fixtures" frontend/tests/nir/fixtures
"$python" tests/oracles/nir_roundtrip.py "$snnc" "$scratch/roundtrip" 40
for fixture in frontend/tests/nir/fixtures/*.nir; do
    case "$(basename "$fixture" .nir)" in
    # What `nir` itself cannot read, or never ends reading.
    claims | endless | foreign | links | older | single_numbers | recording | twice) continue ;;
    esac
    "$snnc" check "$fixture" 2>/dev/null
    "$snnc" convert "$fixture" -o "$scratch/fixture.nir"
    "$python" -c 'import nir, sys; nir.read(sys.argv[1])' "$scratch/fixture.nir"
done
# What `nir` cannot read as it is, it can after `snnc` has filled in what is missing.
for name in foreign older single_numbers; do
    "$snnc" convert "frontend/tests/nir/fixtures/$name.nir" -o "$scratch/$name.nir" 2>/dev/null
    "$python" -c 'import nir, sys; nir.read(sys.argv[1])' "$scratch/$name.nir"
done
# What `snnc` writes of its own networks, run step by step by readers that know nothing of `snnc`.
while read -r source stimulus samples; do
    "$python" tests/oracles/nir_export.py "$snnc" "$scratch/export" "$source" "$stimulus" "$samples"
done <<END
examples/digits/digits.genome.json examples/digits/test.npz 20
examples/mnist/mnist.genome.json examples/mnist/test.npz 3
tests/fixtures/conv.genome.json tests/fixtures/conv.npz 2
tests/fixtures/split.genome.json tests/fixtures/split.npz 2
tests/fixtures/subtract.genome.json tests/fixtures/subtract.npz 2
tests/fixtures/heterogeneous.genome.json tests/fixtures/heterogeneous.npz 2
tests/fixtures/tennlab/mixed.json tests/fixtures/tennlab/mixed.npz 1
tests/fixtures/tennlab/plus_keep.json tests/fixtures/tennlab/plus_keep.npz 1
END
for graph in tests/fixtures/nir/*.nir; do
    name="$(basename "$graph" .nir)"
    options=(--dialect "${name%%_*}")
    case "$name" in
    # Refused: the current of a CubaLIF with a leak voltage.
    norse_leak) continue ;;
    # Recorded as built, without the bound that sinabs sets where it imports.
    sinabs_conv) options=(--if-dialect free --comparison ge --reset subtract --spikes-per-step several) ;;
    *_subtract) options+=(--reset subtract) ;;
    esac
    "$python" tests/oracles/nir_simulators/compare.py "$snnc" "$graph" "${graph%.nir}.npz" "${options[@]}" 2>/dev/null
done
if [ -x "$cache/nir-simulators/bin/python" ]; then
    tests/oracles/nir_simulators/record.sh "$cache/nir-simulators/bin/python" "$scratch/simulators" >/dev/null 2>&1
    "$python" tests/oracles/nir_simulators/same.py "$scratch/simulators" tests/fixtures/nir
fi
