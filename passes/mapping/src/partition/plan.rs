//! How much is tried at which effort.

use super::Effort;
use super::refine::Patience;

/// Pins of networks that are tried on coarse levels at the balanced effort.
pub(super) const SMALL: usize = 600_000;

/// What an effort stands for. Figures are from measurements on networks of 0.3 to 2 million pins.
pub(super) struct Plan {
    /// Pins up to which starts on coarse levels are tried.
    pub(super) pins: usize,
    /// Whether larger networks are searched for modules.
    pub(super) modules: bool,
    /// Pins up to which copies of axons are refined before spikes are.
    pub(super) priced: usize,
    /// Pins up to which cores of short axons are annealed.
    pub(super) annealed: usize,
    /// Moves tried then, per vertex.
    pub(super) sweeps: usize,
    /// Trials on coarse levels of small networks; of others, a quarter.
    pub(super) trials: usize,
    /// Starts on the coarsest levels, per trial.
    pub(super) starts: usize,
    /// Rounds of coarsening within cores and refinement, on the level where these starts end, per trial.
    pub(super) coarse_cycles: usize,
    /// Such rounds on the finest level.
    pub(super) cycles: usize,
    pub(super) patience: Patience,
    /// For emptying cores, where that is tried.
    pub(super) evacuation: Option<Patience>,
}

impl Plan {
    pub(super) fn new(effort: Effort) -> Self {
        match effort {
            Effort::Fast => Self {
                pins: 0,
                modules: false,
                priced: 4_000_000,
                annealed: 0,
                sweeps: 0,
                trials: 0,
                starts: 0,
                coarse_cycles: 0,
                cycles: 0,
                patience: Patience { run: 15, runs: 10, passes: 1 },
                evacuation: None,
            },
            Effort::Balanced => Self {
                pins: SMALL,
                modules: true,
                priced: usize::MAX,
                annealed: 4_000_000,
                sweeps: 400,
                trials: 6,
                starts: 2,
                coarse_cycles: 4,
                cycles: 1,
                patience: Patience { run: 30, runs: 10, passes: 4 },
                evacuation: Some(Patience { run: 400, runs: 10, passes: 4 }),
            },
            Effort::Best => Self {
                pins: usize::MAX,
                modules: true,
                priced: usize::MAX,
                annealed: 4_000_000,
                sweeps: 4000,
                trials: 16,
                starts: 4,
                coarse_cycles: 6,
                cycles: 4,
                patience: Patience { run: 60, runs: 40, passes: 8 },
                evacuation: Some(Patience { run: 400, runs: 40, passes: 8 }),
            },
        }
    }
}
