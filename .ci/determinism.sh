#!/usr/bin/env bash
# The same bytes from the same source: SNNC SCRATCH [OTHER].
# Every shipped genome, for both targets, with several options, compiled many times: in other folders, from relative and
# absolute paths, with other numbers of threads, locales, time zones, homes and masks, in another order and
# several at once, and by the binary OTHER (another build of the same source) where one is given. All files are equal.
set -euo pipefail
snnc="$(realpath "$1")" scratch="$2/determinism" root="$PWD" other=""
[ -z "${3:-}" ] || other="$(realpath "$3")"
rm -rf "$scratch"
mkdir -p "$scratch"

# NAME|genome|options; samples are named by @FILE, a path in the repository.
cases=()
add() { cases+=("$1|$2|$3"); }
for target in loihi2 loihi1; do
    for genome in examples/small/{conv,genes,skip}.genome.json examples/{digits/digits,mnist/mnist}.genome.json \
        examples/motif/cells.genome.json; do
        name="$(basename "$genome" .genome.json)"
        # What loihi1 cannot run is refused in the same words.
        add "$name.$target" "$genome" "--target $target"
    done
    digits=examples/digits/digits.genome.json
    add "digits.$target.calibrated" "$digits" \
        "--target $target --weight-bits 4 --calibrate @examples/digits/calibrate.npz --calibrate-samples 8 --budget 0.2"
    add "digits.$target.profile" "$digits" "--target $target --profile @examples/digits/calibrate.npz --profile-samples 8"
done
for name in digits mnist; do
    add "$name.factored" "examples/$name/$name.genome.json" "--target loihi2 --lowering factored"
done
add "recurrent" examples/nir/recurrent.nir "--target loihi2 --dialect norse --steps 60"
add "xor" examples/tennlab/xor.json "--target loihi2"

# compile BINARY CASE FROM TO: FROM is what paths of the repository begin with.
compile() {
    local name genome options
    IFS='|' read -r name genome options <<<"$2"
    local binary="$1" from="$3" to="$4"
    options="${options//@/$from}"
    # What is refused is compared as well: exit code and words, less the paths.
    local status=0
    # shellcheck disable=SC2086
    "$binary" compile "$from$genome" $options -o "$to/$name" 2>"$to/$name.said" || status=$?
    local said
    said="$(<"$to/$name.said")"
    said="${said//"${from}examples"/examples}"
    printf '%s\nexit code %s\n' "${said//"$to/"/}" "$status" >"$to/$name.said"
}

# Once plainly: one after the other, one thread, relative paths.
mkdir "$scratch/plain"
for case in "${cases[@]}"; do RAYON_NUM_THREADS=1 compile "$snnc" "$case" "" "$scratch/plain"; done

# From somewhere else: absolute paths through a link, two threads, other surroundings, backwards, two at once.
mkdir -p "$scratch/else where" "$scratch/home"
ln -s "$root" "$scratch/linked"
cp -r "$scratch/plain" "$scratch/before"
(
    cd "$scratch/home"
    export RAYON_NUM_THREADS=2 LC_ALL=tr_TR.UTF-8 LANG=de_DE TZ=Asia/Kathmandu HOME="$scratch/home" NO_COLOR=1 COLUMNS=40 \
        SOURCE_DATE_EPOCH=1 TMPDIR="$scratch/home" USER=nobody
    umask 077
    running=0
    for ((i = ${#cases[@]} - 1; i >= 0; i--)); do
        compile "$snnc" "${cases[i]}" "$scratch/linked/" "$scratch/else where" &
        running=$((running + 1))
        if [ "$running" = 2 ]; then
            wait -n
            running=$((running - 1))
        fi
    done
    wait
)
# Over artifacts that are there, more threads than processors.
for case in "${cases[@]}"; do RAYON_NUM_THREADS=7 compile "$snnc" "$case" "./" "$scratch/before"; done
diff -r "$scratch/plain" "$scratch/else where"
diff -r "$scratch/plain" "$scratch/before"

# No path of this machine, and nobody's name, is in any file.
if grep -rlaF -e "$root" -e "$scratch" -e "$HOME" "$scratch"/plain/*/; then
    echo "a path of this machine is in these files" >&2
    exit 1
fi
if [ -n "$other" ]; then
    mkdir "$scratch/other"
    for case in "${cases[@]}"; do compile "$other" "$case" "" "$scratch/other"; done
    diff -r "$scratch/plain" "$scratch/other"
fi
files=$(find "$scratch/plain" -type f | wc -l)
refused=$(grep -L "^exit code 0" "$scratch"/plain/*.said | wc -l || true)
echo "${#cases[@]} compilations ($refused refused), $((3 + (${#other} > 0))) times each, $files files: all bytes equal"
test "$refused" -lt 4
