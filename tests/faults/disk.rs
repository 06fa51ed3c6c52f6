//! Real file systems that are full or read-only: small ones in memory, mounted in a namespace of their own.

use crate::{compile, done, files, names, references, snnc, variant};
use std::env;
use std::path::Path;
use std::process::Command;

/// Set in the process that runs inside the namespace.
const INSIDE: &str = "SNNC_FAULT_INSIDE";

/// Runs the test `name` again in a namespace in which it may mount. Whether this is the process inside.
fn inside(name: &str) -> bool {
    if env::var_os(INSIDE).is_some() {
        return true;
    }
    // As an ordinary user, or as the superuser where users may not have namespaces.
    for how in ["-rm", "-m"] {
        let allowed =
            Command::new("unshare").args([how, "bash", "-c", "mount -t tmpfs none /mnt"]).output();
        if !allowed.is_ok_and(|o| o.status.success()) {
            continue;
        }
        let test = env::current_exe().expect("a path");
        let status = Command::new("unshare")
            .arg(how)
            .arg(test)
            .args(["--exact", name, "--nocapture", "--test-threads", "1"])
            .env(INSIDE, "1")
            .status();
        assert!(status.expect("it starts").success(), "{name} failed inside the namespace");
        return false;
    }
    assert!(env::var_os("CI").is_none(), "file systems must be mounted here");
    println!("skipped: {name} may not mount a file system here");
    false
}

fn mount(arguments: &[&str], at: &Path) {
    let status = Command::new("mount").args(arguments).arg(at).status().expect("mount starts");
    assert!(status.success(), "mount {arguments:?}");
}

#[test]
fn a_full_disk_keeps_the_old_artifact() {
    if !inside("disk::a_full_disk_keeps_the_old_artifact") {
        return;
    }
    let references = references();
    let place = tempfile::tempdir().expect("a folder");
    let disk = place.path();
    let pages = |files: &crate::Files| -> usize {
        files.values().map(|bytes| bytes.len().div_ceil(4096)).sum()
    };
    let (old, new) = (pages(&references[0]), pages(&references[1]));
    mount(&["-t", "tmpfs", "-o", "size=64m", "none"], disk);
    let output = disk.join("art");
    let (code, said) = done(&mut compile(disk, 0, &output));
    assert_eq!(code, 0, "{said}");
    let (mut refused, mut placed) = (0, 0);
    // From a disk that the old artifact fills to one that has room for both.
    for size in old..=old + new + 2 {
        mount(&["-o", &format!("remount,size={}k", 4 * size)], disk);
        let (code, said) = done(&mut compile(disk, 1, &output));
        if code == 0 {
            assert!(size >= old + new, "{size} pages cannot hold {old} and {new}");
            assert_eq!(variant(&output, &references), 1);
            placed += 1;
            mount(&["-o", "remount,size=64m"], disk);
            let (code, said) = done(&mut compile(disk, 0, &output));
            assert_eq!(code, 0, "{said}");
        } else {
            assert_eq!(code, 2, "{said}");
            for part in ["SNN0845", "cannot write", "art", "No space left", " bytes)", "free space"]
            {
                assert!(said.contains(part), "{part} is not in {said}");
            }
            assert_eq!(variant(&output, &references), 0);
            refused += 1;
        }
        assert_eq!(names(disk), ["art"], "at {size} pages");
    }
    println!(
        "disks of {old} to {} pages: {refused} times full, {placed} times enough",
        old + new + 2
    );
    assert!(refused >= new / 2 && placed > 0);

    // No inodes left, and other files that are written.
    mount(&["-o", "remount,size=64m,nr_inodes=16"], disk);
    let (code, said) = done(&mut compile(disk, 1, &output));
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("SNN0845"), "{said}");
    assert_eq!(variant(&output, &references), 0);
    assert_eq!(names(disk), ["art"]);
    mount(&["-o", "remount,size=1m,nr_inodes=1000"], disk);
    let filled = std::fs::write(disk.join("filler"), vec![0; 2 << 20]);
    assert!(filled.is_err(), "there is no room for all of it");
    for option in ["--json", "--sarif"] {
        let mut list = Command::new(snnc());
        let (code, said) = done(list.args(["list", option]).arg(disk.join("list")));
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("SNN0845"), "{said}");
    }
    assert_eq!(names(disk), ["art", "filler"]);
}

#[test]
fn a_read_only_disk_is_reported_and_read() {
    if !inside("disk::a_read_only_disk_is_reported_and_read") {
        return;
    }
    let place = tempfile::tempdir().expect("a folder");
    let disk = place.path();
    mount(&["-t", "tmpfs", "-o", "size=64m", "none"], disk);
    let output = disk.join("art");
    done(&mut compile(disk, 0, &output));
    let before = files(&output);
    mount(&["-o", "remount,ro"], disk);
    for (variant, to) in [(1, "art"), (0, "other")] {
        let (code, said) = done(&mut compile(disk, variant, &disk.join(to)));
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("SNN0802") && said.contains("Read-only file system"), "{said}");
    }
    let mut verify = Command::new(snnc());
    let (code, said) = done(verify.arg("verify").arg(crate::repo(crate::GENOME)).arg(&output));
    assert_eq!(code, 0, "{said}");
    assert_eq!(files(&output), before);
    assert_eq!(names(disk), ["art"]);
}
