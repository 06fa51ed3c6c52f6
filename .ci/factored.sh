#!/usr/bin/env bash
# Genomes whose factors stay factors: SNNC SCRATCH GEE, with a release binary and the generator's.
# The shipped genomes verify bit for bit and keep their accuracy; genomes of the size that papers report compile,
# certified, to programs about as small as themselves.
set -euo pipefail
snnc="$1" scratch="$2" gee="$3"

for name in digits mnist; do
    genome="examples/$name/$name.genome.json" artifact="$scratch/$name.factored"
    "$snnc" compile "$genome" --target loihi --lowering factored -o "$artifact"
    "$snnc" verify "$genome" "$artifact" --stimulus "examples/$name/test.npz" | tee "$scratch/factored.txt"
    # Points of accuracy that may be lost; one of digits' 360 samples is 0.28 points.
    most=0.5
    [ "$name" = mnist ] || most=1
    awk -v name="$name" -v most="$most" '/^accuracy:/ {
        gsub(/[(,)]/, "")
        if ($3 - $9 > most) { print name ": factored integers lose " $3 - $9 " points" > "/dev/stderr"; exit 1 }
        found = 1
    } END { exit !found }' "$scratch/factored.txt"
    "$snnc" inspect --folding "$artifact"
done

words() {
    "$snnc" inspect --folding "$1" --target loihi2 --lowering "$2" --format json |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["folding"]["memory"]["words"])'
}

# More than a genome takes a program never does, once its factors stay; and memory falls about as much as the formulas in
# docs/folding.md say, the last number of each line.
for line in "resnet18 per_offset 64 9.7" "resnet18 flat_fan_in 128 2.3" "vgg16 flat_fan_in 64 6.0"; do
    net="${line% *}" formula="${line##* }"
    # shellcheck disable=SC2086
    "$gee" $net "$scratch"
    name="${net// /-}" artifact="$scratch/$name.factored"
    bash -c "time '$snnc' compile '$scratch/$name.genome.json' --target loihi --lowering factored -o '$artifact'" 2>&1 | grep -v '^note\|^  '
    genome=$(cat "$scratch/$name.genome.json" "$scratch/$name.safetensors" | wc -c)
    program=$(wc -c <"$artifact/program.snnb")
    echo "$name: genome $genome bytes, program $program bytes"
    if [ $((program * 10)) -gt $((genome * 13)) ]; then
        echo "$name: the program is larger than 1.3 times its genome" >&2
        exit 1
    fi
    decoded=$(words "$scratch/$name.genome.json" materialized) kept=$(words "$scratch/$name.genome.json" smallest)
    echo "$name: $decoded words of core memory decoded, $kept with what stores least"
    awk -v a="$decoded" -v b="$kept" -v f="$formula" 'BEGIN { exit !(a / b >= 0.85 * f) }' || {
        echo "$name: core memory falls by less than 0.85 times $formula" >&2
        exit 1
    }
done
