#!/usr/bin/env bash
# Compiles and verifies the shipped examples with a release binary: SNNC SCRATCH.
# Identical bytes from two folders and two thread counts; 0 differing spikes over the test sets.
set -euo pipefail
snnc="$1" scratch="$2" root="$PWD"

for name in digits mnist; do
    genome="examples/$name/$name.genome.json"
    for target in loihi2 loihi1; do
        one="$scratch/$name.$target.a" two="$scratch/elsewhere/$name.$target.b"
        mkdir -p "$scratch/elsewhere"
        RAYON_NUM_THREADS=1 "$snnc" compile "$genome" --target "$target" -o "$one"
        cp -r "examples/$name" "$scratch/elsewhere/$name.$target.source"
        (cd "$scratch/elsewhere" &&
            RAYON_NUM_THREADS=2 "$snnc" compile "$name.$target.source/$name.genome.json" --target "$target" -o "$two")
        diff -r "$one" "$two"
        "$snnc" verify "$genome" "$one" --stimulus "examples/$name/test.npz"
    done
    echo "$name: CPU time of one compile"
    bash -c "time '$snnc' compile '$root/$genome' --target loihi -o '$scratch/$name.timed'" 2>&1 | tail -4
done

# Calibrated artifacts are the same on any number of threads, and are verified without the data. Integers that
# are not the network any more are refused where that is asked for.
digits=examples/digits
calibrated() {
    RAYON_NUM_THREADS="$1" "$snnc" compile "$digits/digits.genome.json" --target loihi --weight-bits 4 \
        --calibrate "$digits/calibrate.npz" --calibrate-samples 200 -o "$scratch/digits.4.$1"
}
calibrated 1
calibrated 2
diff -r "$scratch/digits.4.1" "$scratch/digits.4.2"
"$snnc" verify "$digits/digits.genome.json" "$scratch/digits.4.1" --stimulus "$digits/test.npz"
if "$snnc" quantize "$digits/digits.genome.json" --target loihi --weight-bits 1 --max-exponent 0 --groups mixed \
    --scales population --stimulus "$digits/test.npz" --deny collapse -o "$scratch/digits.1"; then
    echo "a collapse must be refused" >&2
    exit 1
fi
test ! -e "$scratch/digits.1"

# A motif genome with clips and feedback: inspected, drawn, certified, all levels alike on random events.
motif=examples/motif
"$snnc" inspect "$motif/published.genome.json" --weights random:1 | grep "16 populations, 2170368 neurons"
"$snnc" inspect "$motif/cells.genome.json" --graph svg -o "$scratch/cells.svg"
"$snnc" inspect "$motif/cells.genome.json" --graph dot >"$scratch/cells.dot"
"$snnc" compile "$motif/cells.genome.json" --target loihi -o "$scratch/cells"
"$snnc" verify "$motif/cells.genome.json" "$scratch/cells" --stimulus "$motif/test.npz"
if "$snnc" compile "$motif/cells.genome.json" --target loihi1 -o "$scratch/cells.loihi1"; then
    echo "clips must be refused on loihi1" >&2
    exit 1
fi

# Reset by subtraction and leaky loops need programmable neurons.
for fixture in subtract loop_leaky; do
    genome="tests/fixtures/$fixture.genome.json"
    "$snnc" compile "$genome" --target loihi2 -o "$scratch/$fixture"
    test ! -e "$scratch/$fixture/network.net"
    "$snnc" verify "$genome" "$scratch/$fixture" --stimulus "tests/fixtures/$fixture.npz"
    if "$snnc" compile "$genome" --target loihi1 -o "$scratch/$fixture.loihi1"; then
        echo "$fixture must be refused on loihi1" >&2
        exit 1
    fi
    test ! -e "$scratch/$fixture.loihi1"
done
