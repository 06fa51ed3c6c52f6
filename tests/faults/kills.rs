//! Real kills: SIGKILL at moments all over the run, most of them about when it publishes.

use crate::{compile, done, names, references, setting, variant};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Numbers that look random (xorshift), the same on every run.
struct Random(u64);

impl Random {
    /// From 0 to 1.
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        #[expect(clippy::cast_precision_loss, reason = "a fraction")]
        let fraction = (self.0 >> 12) as f64 / (1_u64 << 52) as f64;
        fraction
    }
}

/// A run that is killed after `delay`. Whether it was still running.
fn killed(at: &Path, which: usize, output: &Path, delay: Duration) -> bool {
    let mut child = compile(at, which, output)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    sleep(delay);
    child.kill().expect("it is ours");
    !child.wait().expect("it ends").success()
}

#[test]
fn whoever_is_killed_leaves_the_old_artifact_or_the_new_one() {
    let references = references();
    let place = tempfile::tempdir().expect("a folder");
    let output = place.path().join("art");
    let mut old = 0;
    let (code, said) = done(&mut compile(place.path(), old, &output));
    assert_eq!(code, 0, "{said}");
    let start = Instant::now();
    done(&mut compile(place.path(), old, &output));
    let whole = start.elapsed();

    let (mut kept, mut replaced, mut half, mut finished) = (0, 0, 0, 0);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    // About when the new artifact takes the place of the old one: every kill says whether that was earlier or later.
    let mut boundary = whole.mul_f64(0.8);
    let kills = setting("SNNC_FAULT_KILLS", 60);
    for kill in 0..kills {
        let new = usize::from(old == 0);
        let delay = if kill % 4 == 0 {
            whole.mul_f64(1.2 * random.next())
        } else {
            boundary.mul_f64(0.97 + 0.06 * random.next())
        };
        let in_time = killed(place.path(), new, &output, delay);
        let found = variant(&output, &references);
        assert!(found == old || found == new, "something else appeared");
        half += usize::from(names(place.path()).len() > 1);
        if found == old {
            kept += 1;
            assert!(in_time, "a run that ended well has published");
            boundary = boundary.max(delay).mul_f64(1.04);
        } else {
            replaced += 1;
            finished += usize::from(!in_time);
            boundary = boundary.min(delay).mul_f64(0.96);
        }
        old = found;
    }
    println!(
        "{kills} kills: {kept} left the old artifact, {replaced} the new one ({finished} came too late), \
         {half} left hidden files"
    );
    assert!(kept > 0 && replaced > 0, "kills came before and after the moment of publishing");
    assert!(half > 0 || kills < 200, "no kill came while files were written");

    // The next one that ends clears everything away.
    let (code, said) = done(&mut compile(place.path(), 0, &output));
    assert_eq!(code, 0, "{said}");
    assert_eq!(variant(&output, &references), 0);
    assert_eq!(names(place.path()), ["art"]);
}

#[test]
fn whoever_is_killed_where_nothing_was_leaves_nothing_or_an_artifact() {
    let references = references();
    let place = tempfile::tempdir().expect("a folder");
    let output = place.path().join("art");
    let start = Instant::now();
    done(&mut compile(place.path(), 0, &output));
    let whole = start.elapsed();
    let mut random = Random(88_172_645_463_325_252);
    let mut published = 0;
    let kills = setting("SNNC_FAULT_KILLS", 60) / 4;
    for _ in 0..kills {
        if output.exists() {
            std::fs::remove_dir_all(&output).expect("it is ours");
        }
        killed(place.path(), 0, &output, whole.mul_f64(0.5 + 0.7 * random.next()));
        if output.exists() {
            assert_eq!(variant(&output, &references), 0);
            published += 1;
        }
    }
    println!(
        "{kills} kills where nothing was: {published} artifacts, {} times nothing",
        kills - published
    );
}
