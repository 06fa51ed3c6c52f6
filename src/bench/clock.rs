//! Time on processors and memory, from the kernel's accounts.

use std::fs;
use std::sync::OnceLock;
use std::time::Instant;

/// Seconds that all threads of this process that still live have spent on processors; where the system does
/// not tell, seconds that passed since the first call. Only differences mean something.
pub(super) fn cpu_seconds() -> f64 {
    threads().unwrap_or_else(|| {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed().as_secs_f64()
    })
}

/// Sum over the threads, of Linux's `/proc`: the first number of `schedstat`, nanoseconds.
fn threads() -> Option<f64> {
    let mut total = 0.0;
    for thread in fs::read_dir("/proc/self/task").ok()? {
        // A thread may end while they are read.
        let Ok(text) = fs::read_to_string(thread.ok()?.path().join("schedstat")) else { continue };
        total += text.split(' ').next()?.parse::<f64>().ok()?;
    }
    Some(total * 1e-9)
}

/// Most memory that the process has held, in bytes.
pub(super) fn peak_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kb| kb * 1024)
}
