//! `--runtime` of the binary: what is chosen, what is said, what is refused.

mod common;

use common::{GENOME, Place, STIMULUS};
#[cfg(feature = "gpu")]
use std::process::Command;

fn place() -> Place {
    let place = Place::new();
    place.copy(GENOME, "g.json");
    place.copy(STIMULUS, "s.npz");
    place
}

const QUANTIZED: [&str; 7] =
    ["run", "g.json", "--stimulus", "s.npz", "--level", "quantized", "--target"];

fn run<'a>(runtime: &'a [&'a str]) -> Vec<&'a str> {
    [&QUANTIZED[..], &["loihi2"], runtime].concat()
}

/// A machine without graphics processors: neither Vulkan nor OpenGL finds a driver.
#[cfg(feature = "gpu")]
fn without_drivers(command: &mut Command) -> &mut Command {
    command
        .env("VK_DRIVER_FILES", "/nowhere.json")
        .env("VK_ICD_FILENAMES", "/nowhere.json")
        .env("__EGL_VENDOR_LIBRARY_FILENAMES", "/nowhere.json")
}

#[cfg(feature = "gpu")]
#[test]
fn without_a_device_gpu_is_an_error_and_auto_falls_back() {
    let place = place();
    let mut command = place.command();
    command.args(run(&["--runtime", "gpu"]));
    let said = common::said(without_drivers(&mut command)).exits(2);
    assert!(said.stderr.contains("error[SNN0827]"), "{}", said.stderr);
    assert!(said.stderr.contains("help: install a driver"), "{}", said.stderr);
    assert!(said.stdout.is_empty());
    let mut command = place.command();
    command.args(run(&["--runtime", "auto"]));
    let said = common::said(without_drivers(&mut command)).exits(0);
    assert!(said.stderr.contains("`--runtime auto` runs on the CPU"), "{}", said.stderr);
    let cpu = place.run(&run(&[])).exits(0);
    assert_eq!(said.stdout, cpu.stdout);
}

/// Whatever `auto` finds, the result is the CPU's.
#[test]
fn auto_gives_what_the_cpu_gives() {
    let place = place();
    let auto = place.run(&run(&["--runtime", "auto", "--spikes", "auto.npz"])).exits(0);
    let cpu = place.run(&run(&["--runtime", "cpu", "--spikes", "cpu.npz"])).exits(0);
    assert_eq!(auto.stdout, cpu.stdout);
    assert_eq!(place.read("auto.npz"), place.read("cpu.npz"));
    assert!(auto.stderr.contains("note[SNN0829]"), "{}", auto.stderr);
    assert!(!cpu.stderr.contains("runtime"), "{}", cpu.stderr);
}

#[test]
fn programs_run_core_by_core() {
    let place = place();
    place.run(&["compile", "g.json", "--target", "loihi2", "-o", "art"]).exits(0);
    let run =
        |runtime: &str| place.run(&["run", "art", "--stimulus", "s.npz", "--runtime", runtime]);
    assert!(run("gpu").exits(2).stderr.contains("SNN0810"));
    let auto = run("auto").exits(0);
    assert!(auto.stderr.contains("core by core"), "{}", auto.stderr);
    assert_eq!(auto.stdout, run("cpu").exits(0).stdout);
}

#[cfg(not(feature = "gpu"))]
#[test]
fn a_binary_without_the_feature_says_how_to_build_it() {
    let said = place().run(&run(&["--runtime", "gpu"])).exits(2);
    assert!(said.stderr.contains("SNN0809") && said.stderr.contains("--features gpu"));
}

/// The device is named, and gives the CPU's spikes; skipped where there is none, unless `SNNC_NEEDS_GPU` is set.
#[cfg(feature = "gpu")]
#[test]
fn a_device_gives_the_same_spikes() {
    let place = place();
    let said = place.run(&run(&["--runtime", "gpu", "--spikes", "gpu.npz"]));
    if said.code == 2 && std::env::var_os("SNNC_NEEDS_GPU").is_none() {
        assert!(said.stderr.contains("SNN0827"), "{}", said.stderr);
        return;
    }
    let said = said.exits(0);
    assert!(said.stderr.contains("runtime gpu by kernels on "), "{}", said.stderr);
    let cpu = place.run(&run(&["--spikes", "cpu.npz"])).exits(0);
    assert_eq!(said.stdout, cpu.stdout);
    assert_eq!(place.read("gpu.npz"), place.read("cpu.npz"));
    let report = place.run(&run(&["--runtime", "gpu", "--format", "json"])).exits(0).json();
    assert_eq!(report["runtime"]["name"], "gpu");
    assert!(!report["runtime"]["adapter"]["name"].as_str().expect("a name").is_empty());
    // A float network runs as tensors, and says so.
    let float = ["run", "g.json", "--stimulus", "s.npz"];
    let tensors = place.run(&[&float[..], &["--runtime", "gpu"]].concat()).exits(0);
    assert!(tensors.stderr.contains("operation by operation"), "{}", tensors.stderr);
    assert_eq!(tensors.stdout, place.run(&float).exits(0).stdout);
}
