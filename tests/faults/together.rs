//! Many processes at one destination, and destinations that are something else.

use crate::common::Place;
use crate::{VARIANTS, compile, done, names, references, setting, snnc, variant};
use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

#[test]
fn of_many_at_one_place_one_wins_and_readers_see_whole_artifacts() {
    let references = references();
    let place = tempfile::tempdir().expect("a folder");
    let output = place.path().join("art");
    let mut winners = [0; VARIANTS.len()];
    let mut reads = 0;
    for round in 0..setting("SNNC_FAULT_ROUNDS", 4) {
        // Every second time nothing is there.
        if round % 2 == 0 && output.exists() {
            fs::remove_dir_all(&output).expect("it is ours");
        }
        let over = AtomicBool::new(false);
        reads += thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut reads = 0;
                while !over.load(Ordering::Relaxed) && round % 2 == 1 {
                    let mut inspect = Command::new(snnc());
                    let (code, said) = done(inspect.arg("inspect").arg(&output));
                    assert_eq!(code, 0, "{said}");
                    reads += 1;
                }
                reads
            });
            let writers: Vec<_> = (0..8)
                .map(|i| {
                    let mut command = compile(place.path(), i % VARIANTS.len(), &output);
                    scope.spawn(move || done(&mut command))
                })
                .collect();
            let written: Vec<_> = writers.into_iter().map(thread::ScopedJoinHandle::join).collect();
            // Before anything may panic: the reader would go on for ever.
            over.store(true, Ordering::Relaxed);
            for writer in written {
                let (code, said) = writer.expect("no panic");
                assert_eq!(code, 0, "{said}");
            }
            reader.join().expect("every reader saw a whole artifact")
        });
        winners[variant(&output, &references)] += 1;
        assert_eq!(names(place.path()), ["art"], "nothing is left over");
    }
    println!("8 at once: winners by variant {winners:?}, {reads} readings meanwhile");
}

#[test]
fn a_file_or_a_folder_of_someone_else_is_refused() {
    let place = Place::new();
    place.write("file", "mine");
    place.write("folder/thesis.txt", "mine");
    place.write("mixed/manifest.json", "{}");
    let before = place.contents();
    for name in ["file", "folder", "mixed"] {
        let (code, said) = done(&mut compile(&place.path(""), 0, &place.path(name)));
        assert_eq!(code, 2, "{name}: {said}");
        assert!(said.contains("SNN0806"), "{name}: {said}");
    }
    assert_eq!(place.contents(), before);
    let (code, said) = done(&mut compile(&place.path(""), 0, &place.path("file/art")));
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("SNN0807"), "{said}");
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_like_any_other() {
    let references = references();
    let place = tempfile::tempdir().expect("a folder");
    let output = place.path().join("art");
    done(&mut compile(place.path(), 0, &output));
    let inner = compile(place.path(), 1, &output);
    let mut limited = Command::new("bash");
    limited.args(["-c", "ulimit -f 1; exec \"$@\"", "bash"]).arg(inner.get_program());
    limited.args(inner.get_args()).current_dir(place.path());
    let (code, said) = done(&mut limited);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("SNN0845") && said.contains("free space"), "{said}");
    assert_eq!(variant(&output, &references), 0);
    assert_eq!(names(place.path()), ["art"]);
}

#[test]
fn whoever_stops_reading_is_no_error_and_a_full_stdout_is() {
    let place = Place::new();
    let output = place.path("art");
    done(&mut compile(&place.path(""), 0, &output));
    for arguments in [&["list", "codes"][..], &["inspect", "art"], &["explain", "--all"]] {
        // The reader is gone before the first byte.
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = Command::new(snnc());
        command.args(arguments).current_dir(place.path("")).stdout(writer).stderr(Stdio::piped());
        let child = command.spawn().expect("it starts").wait_with_output().expect("it ends");
        assert_eq!(child.status.code(), Some(0), "{arguments:?}");
        assert!(child.stderr.is_empty(), "{arguments:?}");

        let full = fs::File::options().write(true).open("/dev/full").expect("a full device");
        let mut command = Command::new(snnc());
        command.args(arguments).current_dir(place.path("")).stdout(full).stderr(Stdio::piped());
        let child = command.spawn().expect("it starts").wait_with_output().expect("it ends");
        assert_eq!(child.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8_lossy(&child.stderr).contains("SNN0845"), "{arguments:?}");
    }
}
