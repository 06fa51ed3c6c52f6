#!/usr/bin/env bash
# The simulators on burn and on graphics processors, the latter on Mesa's software Vulkan: SCRATCH. Needs no real device; a
# software one proves that results are equal, and says nothing about speed.
set -euo pipefail
scratch="$1/gpu"
mkdir -p "$scratch"
features=(--features snnc/gpu --locked)

# Any Vulkan device will do. Mesa's is installed where there is none and this user may.
if ! ls /usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json >/dev/null 2>&1; then
    command -v apt-get >/dev/null || { echo "install Mesa's software Vulkan (lavapipe)" >&2; exit 1; }
    apt-get update -q >/dev/null
    apt-get install -yq mesa-vulkan-drivers libvulkan1 >/dev/null
fi
lavapipe="$(ls /usr/share/vulkan/icd.d/lvp_icd*.json | head -1)"
export VK_DRIVER_FILES="$lavapipe" VK_ICD_FILENAMES="$lavapipe" SNNC_NEEDS_GPU=1

cargo clippy -p snnc-runtime -p snnc "${features[@]}" --all-targets -- -D warnings
cargo test -p snnc-runtime -p snnc "${features[@]}"
# That built the binary, too. A build without tests would unify features otherwise, and build all of burn again.
snnc="${CARGO_TARGET_DIR:-target}/debug/snnc"

# A shipped example, with the CPU's results.
example=(run examples/digits/digits.genome.json --stimulus examples/digits/test.npz --samples 64 --target loihi2)
for level in quantized scheduled; do
    for runtime in cpu burn-cpu gpu; do
        "$snnc" "${example[@]}" --level "$level" --runtime "$runtime" --spikes "$scratch/$runtime.npz" \
            --json "$scratch/$runtime.json" >"$scratch/$runtime.txt"
    done
    for runtime in burn-cpu gpu; do
        cmp "$scratch/cpu.txt" "$scratch/$runtime.txt"
        cmp "$scratch/cpu.npz" "$scratch/$runtime.npz"
    done
done
grep -q '"software": true' "$scratch/gpu.json"

# Dense layers and sparse recurrent networks of 10,000 neurons over 1000 steps spike as often as event by event.
for workload in "W1i --batch 8" W3; do
    for runtime in cpu gpu; do
        # shellcheck disable=SC2086
        "$snnc" bench $workload --runtime "$runtime" --repeat 1 --json "$scratch/bench.$runtime.json"
        grep '"spikes"' "$scratch/bench.$runtime.json" >"$scratch/bench.$runtime.spikes"
    done
    diff "$scratch/bench.cpu.spikes" "$scratch/bench.gpu.spikes"
done

# Without a driver: an error that says how to get one, and `auto` that does without. It never takes a software device.
without=(env VK_DRIVER_FILES=/nowhere.json VK_ICD_FILENAMES=/nowhere.json __EGL_VENDOR_LIBRARY_FILENAMES=/nowhere.json)
if "${without[@]}" "$snnc" "${example[@]}" --level quantized --runtime gpu 2>"$scratch/none.txt"; then
    echo "--runtime gpu must fail without a device" >&2
    exit 1
fi
grep -q 'error\[SNN0827\]' "$scratch/none.txt"
grep -q 'help: install a driver' "$scratch/none.txt"
for how in "${without[*]}" env; do
    $how "$snnc" "${example[@]}" --level quantized --runtime auto >"$scratch/auto.txt" 2>"$scratch/auto.err"
    cmp "$scratch/cpu.txt" "$scratch/auto.txt"
    grep -q 'runs on the CPU' "$scratch/auto.err"
done
