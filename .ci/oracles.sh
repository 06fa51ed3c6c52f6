#!/usr/bin/env bash
# Runs emitted files in foreign emulators: SNNC PYTHON SCRATCH.
# nengo-loihi executes program.snnb core by core (target loihi1), Lava loads network.net, SANA-FE its two files.
set -euo pipefail
snnc="$1" python="$2" scratch="$3/oracles"
mkdir -p "$scratch"

# compare GENOME STIMULUS TARGET ORACLE SAMPLES [OPTION...]
compare() {
    local genome="$1" stimulus="$2" target="$3" oracle="$4" samples="$5"
    shift 5
    # NetX files have no exponents.
    if [ "$oracle" = lava ]; then set -- --max-exponent 0 "$@"; fi
    if [ "$oracle" = sanafe ]; then set -- --emit sanafe "$@"; fi
    local artifact
    artifact="$scratch/$(basename "$genome" .genome.json).$target$(tr -d ' /' <<<"$*")"
    # Two of the emulators have no synaptic delays, so delays are relay neurons here.
    test -d "$artifact" ||
        "$snnc" compile "$genome" --target "$target" --delays relay "$@" -o "$artifact" 2>"$artifact.log" ||
        { cat "$artifact.log" >&2; return 1; }
    test -f "$artifact.spikes.npz" ||
        "$snnc" run "$artifact" --stimulus "$stimulus" --samples "$samples" --spikes "$artifact.spikes.npz" >/dev/null
    "$python" tests/oracles/run.py "$artifact" --stimulus "$artifact.spikes.npz" \
        --oracle "$oracle" --samples "$samples"
}

"$python" tests/oracles/selftest_nengo.py
"$python" tests/oracles/selftest_lava.py
for name in digits mnist; do
    genome="examples/$name/$name.genome.json"
    compare "$genome" "examples/$name/test.npz" loihi1 nengo 50
    compare "$genome" "examples/$name/test.npz" loihi2 lava 50
    compare "$genome" "examples/$name/test.npz" loihi1 sanafe 50
done
for name in skip bias loop heterogeneous split thresholds conv refractory signs; do
    compare "tests/fixtures/$name.genome.json" "tests/fixtures/$name.npz" loihi2 sanafe 20
done
# Narrow fields, weights of both signs apart, exponents, calibrated integers.
digits=examples/digits
compare "$digits/digits.genome.json" "$digits/test.npz" loihi1 nengo 50 --weight-bits 4 --groups split
compare "$digits/digits.genome.json" "$digits/test.npz" loihi1 nengo 50 --weight-bits 3 --scales neuron
compare "$digits/digits.genome.json" "$digits/test.npz" loihi1 nengo 50 --weight-bits 5 --groups mixed \
    --calibrate "$digits/calibrate.npz" --calibrate-samples 50 --budget 2
compare "$digits/digits.genome.json" "$digits/test.npz" loihi2 lava 50 --weight-bits 4
compare "$digits/digits.genome.json" "$digits/test.npz" loihi2 lava 50 --weight-bits 6 --groups split
for name in skip bias loop heterogeneous signs split thresholds conv refractory; do
    compare "tests/fixtures/$name.genome.json" "tests/fixtures/$name.npz" loihi1 nengo 50
done
for name in skip bias loop heterogeneous split thresholds conv; do
    compare "tests/fixtures/$name.genome.json" "tests/fixtures/$name.npz" loihi1 lava 50
done
# Currents with memory, and biases that enter them.
compare tests/fixtures/filtered.snn tests/fixtures/filtered.npz loihi1 nengo 50
compare tests/fixtures/filtered.snn tests/fixtures/filtered.npz loihi1 lava 50
# Weights of one sign take values up to 255, which a NetX layer of both signs does not.
compare tests/fixtures/signs.genome.json tests/fixtures/signs.npz loihi1 lava 50 --weight-bits 7
# Networks of RISP, whose neurons have floors.
for name in keep_1 keep_7 keep_127 mixed_floor; do
    compare "tests/fixtures/tennlab/$name.json" "tests/fixtures/tennlab/$name.npz" loihi1 nengo 1
done
# A motif genome whose clips never act needs no graded messages, so it runs on the older chip.
compare tests/fixtures/braincog/m4_r_m4_signs.genome.json examples/motif/test.npz loihi1 nengo 16
