#!/usr/bin/env bash
# Certificates of genomes of the size that papers report: SNNC SCRATCH GEE, with a release binary and the generator's.
# Makes artifacts, proves their certificates again from the files alone, and holds the median of three proofs below that of
# three compilations.
set -euo pipefail
snnc="$1" scratch="$2" gee="$3"

# Milliseconds that a command takes; what it says is kept.
took() {
    local start=$EPOCHREALTIME end
    "$@" >"$scratch/certificate.txt" 2>&1 || { cat "$scratch/certificate.txt" >&2; return 1; }
    end=$EPOCHREALTIME
    echo $(((${end/./} - ${start/./}) / 1000))
}

median() { printf '%s\n' "$@" | sort -n | sed -n 2p; }

for line in "resnet18 per_offset 64" "resnet18 flat_fan_in 128"; do
    # shellcheck disable=SC2086
    "$gee" $line "$scratch"
    name="${line// /-}" genome="$scratch/${line// /-}.genome.json"
    for lowering in factored materialized; do
        artifact="$scratch/$name.$lowering.certified" compiles=() proofs=()
        for _ in 1 2 3; do
            rm -rf "$artifact"
            compiles+=("$(took "$snnc" compile "$genome" --target loihi --lowering "$lowering" -o "$artifact")")
            # Nothing but the files that the certificate names.
            rm -rf "$scratch/alone" && mkdir "$scratch/alone"
            cp "$artifact"/{certificate.json,program.snnb,source.snnb,target.toml} "$scratch/alone"
            proofs+=("$(took "$snnc" verify --certificate "$scratch/alone/certificate.json")")
        done
        grep -q 'proved again from program.snnb, source.snnb, target.toml' "$scratch/certificate.txt"
        made=$(median "${compiles[@]}") proved=$(median "${proofs[@]}")
        echo "$name, $lowering: compiled in $made ms (${compiles[*]}), proved again in $proved ms (${proofs[*]})"
        if [ "$proved" -ge "$made" ]; then
            echo "$name, $lowering: proving the certificate again takes longer than compiling" >&2
            exit 1
        fi
        rm -rf "$artifact"
    done
    rm -f "$genome" "$scratch/$name.safetensors"
done
