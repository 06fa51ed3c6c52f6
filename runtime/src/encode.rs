//! Samples to spike trains.

use crate::error::{SimError, check_trains};
use snnc_ir::spikes::SpikeTrain;

/// The spikes of a sample in the accumulator coding
/// ([`Coding::Accumulator`](snnc_ir::network::Coding::Accumulator)).
///
/// One accumulator per element starts at `pmax / 2` (rounded down); in each of the first
/// `steps_in` steps the element is added, and where the sum reaches `pmax` the element spikes and
/// `pmax` is subtracted. The train has `steps` steps and one neuron per element (of type u8, u16
/// or u32).
///
/// # Errors
/// [`SimError::SampleRange`] for an element above `pmax`, [`SimError::Coding`] for `pmax = 0` or
/// `steps_in > steps`, [`SimError::TooLarge`].
pub fn accumulator<T: Copy + Into<u32>>(
    sample: &[T],
    pmax: u32,
    steps_in: u32,
    steps: u32,
) -> Result<SpikeTrain, SimError> {
    if pmax == 0 {
        return Err(SimError::Coding("pmax of an accumulator coding is 0".to_owned()));
    }
    if steps_in > steps {
        return Err(SimError::Coding(format!(
            "the accumulator coding takes {steps_in} steps, but the run has {steps}"
        )));
    }
    let too_large = sample.iter().position(|&x| x.into() > pmax);
    if let Some(element) = too_large {
        return Err(SimError::SampleRange { element, value: sample[element].into(), pmax });
    }
    let steps = check_trains(u64::from(steps), std::iter::once(sample.len()))?;
    let mut train = SpikeTrain::new(steps, sample.len());
    for (n, &x) in sample.iter().enumerate() {
        // Below pmax before each addition of at most pmax: below 2^33.
        let mut sum = u64::from(pmax / 2);
        for t in 0..steps_in as usize {
            sum += u64::from(x.into());
            if sum >= u64::from(pmax) {
                sum -= u64::from(pmax);
                train.set(t, n);
            }
        }
    }
    Ok(train)
}

#[cfg(test)]
mod tests {
    use super::accumulator;
    use crate::error::SimError;

    #[test]
    fn full_half_and_quarter_intensity() {
        // pmax = 255: starts at 127.
        let train = accumulator(&[255_u8, 128, 64, 0], 255, 4, 6).unwrap();
        let spikes = |n| (0..6).filter(|&t| train.get(t, n)).collect::<Vec<_>>();
        assert_eq!(spikes(0), [0, 1, 2, 3]);
        assert_eq!(spikes(1), [0, 2]); // 255*, 128, 256*, 129
        assert_eq!(spikes(2), [1]); // 191, 255*, 64, 128
        assert_eq!(spikes(3), [] as [usize; 0]);
    }

    #[test]
    fn bad_parameters_are_refused() {
        let large = SimError::SampleRange { element: 1, value: 9, pmax: 8 };
        assert_eq!(accumulator(&[8_u32, 9], 8, 1, 1), Err(large));
        assert!(matches!(accumulator(&[0_u32], 0, 1, 1), Err(SimError::Coding(_))));
        assert!(matches!(accumulator(&[0_u32], 1, 2, 1), Err(SimError::Coding(_))));
        let huge = accumulator(&[0_u32], u32::MAX, 1, u32::MAX);
        assert!(matches!(huge, Err(SimError::TooLarge { .. })));
    }
}
