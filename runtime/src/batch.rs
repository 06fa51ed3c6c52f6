//! Many samples on all processors. Results come in the order of samples and do not depend on the
//! number of threads.

use crate::cores::{CoreProbe, CoreRun, CoreSim};
use crate::error::SimError;
use crate::float::{FloatProbe, FloatRun, FloatSim};
use crate::integer::{IntProbe, IntRun, IntSim};
use crate::stimulus::Stimulus;
use rayon::prelude::*;

/// Applies `f` to every sample, in parallel. Use it directly to keep only part of each run.
///
/// # Errors
/// [`SimError::Sample`] with the first sample (in order) that failed.
pub fn map<S: Sync, T: Send>(
    samples: &[S],
    f: impl Fn(&S) -> Result<T, SimError> + Sync + Send,
) -> Result<Vec<T>, SimError> {
    // Collected whole before the errors are looked at: which error a parallel collection into a
    // `Result` returns depends on timing.
    let results: Vec<_> = samples.par_iter().map(f).collect();
    let located = results.into_iter().enumerate().map(|(index, result)| {
        result.map_err(|source| SimError::Sample { index, source: Box::new(source) })
    });
    located.collect()
}

/// Runs a float network on every stimulus.
///
/// # Errors
/// As [`map`] and [`FloatSim::run`].
pub fn float(
    sim: &FloatSim<'_>,
    stimuli: &[Stimulus],
    probe: &FloatProbe,
) -> Result<Vec<FloatRun>, SimError> {
    map(stimuli, |stimulus| sim.run(stimulus, probe))
}

/// Runs an integer network on every stimulus.
///
/// # Errors
/// As [`map`] and [`IntSim::run`].
pub fn integer(
    sim: &IntSim<'_>,
    stimuli: &[Stimulus],
    probe: &IntProbe,
) -> Result<Vec<IntRun>, SimError> {
    map(stimuli, |stimulus| sim.run(stimulus, probe))
}

/// Runs a core-level program on every stimulus.
///
/// # Errors
/// As [`map`] and [`CoreSim::run`].
pub fn cores(
    sim: &CoreSim<'_>,
    stimuli: &[Stimulus],
    probe: &CoreProbe,
) -> Result<Vec<CoreRun>, SimError> {
    map(stimuli, |stimulus| sim.run(stimulus, probe))
}

#[cfg(test)]
mod tests {
    use super::map;
    use crate::error::SimError;

    #[test]
    fn order_is_kept_and_the_first_error_wins() {
        let samples: Vec<usize> = (0..100).collect();
        let doubled = map(&samples, |&i| Ok(2 * i)).unwrap();
        assert_eq!(doubled, (0..100).map(|i| 2 * i).collect::<Vec<_>>());
        let fail = |&i: &usize| {
            if i % 30 == 29 { Err(SimError::Coding(i.to_string())) } else { Ok(i) }
        };
        let Err(SimError::Sample { index, source }) = map(&samples, fail) else {
            panic!("a sample fails")
        };
        assert_eq!((index, *source), (29, SimError::Coding("29".to_owned())));
    }
}
