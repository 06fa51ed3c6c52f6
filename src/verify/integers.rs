//! The three integer levels, which must agree spike for spike.

use super::report::DivergenceReport;
use snnc_ir::QuantizedNetwork;
use snnc_ir::program::Program;
use snnc_runtime::compare::{self, Explained, IntSubject, Pair, Record, Subject};
use snnc_runtime::cores::{CoreProbe, CoreRun, CoreSim};
use snnc_runtime::event::integer::IntSim;
use snnc_runtime::integer::{IntProbe, IntRun};
use snnc_runtime::{SimError, Stimulus};

/// Simulators of all integer levels.
pub(super) struct Integers<'n> {
    /// Logical time.
    pub(super) quantized: IntSim<'n>,
    /// Hardware time.
    scheduled: IntSim<'n>,
    /// Core by core, from the decoded bytes.
    cores: CoreSim<'n>,
}

/// What one sample adds to an equality.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) populations: usize,
    pub(super) spikes: u64,
    pub(super) messages: u64,
    pub(super) differing: u64,
}

/// What one sample adds to both equalities.
pub(super) struct Sums {
    pub(super) schedule: Counts,
    pub(super) artifact: Counts,
}

impl<'n> Integers<'n> {
    pub(super) fn new(
        quantized: &'n QuantizedNetwork,
        scheduled: &'n QuantizedNetwork,
        program: &'n Program,
    ) -> Result<Self, SimError> {
        Ok(Self {
            quantized: IntSim::new(quantized)?,
            scheduled: IntSim::new(scheduled)?,
            cores: CoreSim::new(program)?,
        })
    }

    /// Compares all levels on one sample; `logical` is the run of the quantized network.
    pub(super) fn sample(&self, stimulus: &Stimulus, logical: &IntRun) -> Result<Sums, SimError> {
        let hardware = self.scheduled.run(stimulus, &IntProbe::None)?;
        let decoded = self.cores.run(stimulus, &CoreProbe::None)?;
        let left = IntSubject { sim: &self.quantized, stimulus, run: logical }.records()?;
        let right = IntSubject { sim: &self.scheduled, stimulus, run: &hardware }.records()?;
        let pairs = paired(&left, &right)?;
        Ok(Sums {
            schedule: counts(&pairs)?,
            artifact: counts(&self.hardware_pairs(&hardware, &decoded)?)?,
        })
    }

    /// What all symbols sent on both sides, in hardware time.
    fn hardware_pairs<'a>(
        &'a self,
        hardware: &'a IntRun,
        decoded: &'a CoreRun,
    ) -> Result<Vec<Pair<'a>>, SimError> {
        let populations = &self.scheduled.network().populations;
        let symbols = &self.cores.program().populations;
        if let Some(extra) =
            symbols.iter().find(|s| !populations.values().any(|p| p.name == s.name))
        {
            return Err(SimError::Unmatched { name: extra.name.clone(), side: "right" });
        }
        populations
            .iter()
            .map(|(id, population)| {
                let name = population.name.as_str();
                let at =
                    symbols.iter().position(|s| s.name == name).ok_or_else(|| unmatched(name))?;
                Ok(Pair { name, left: hardware.activity(id), right: decoded.activity(at) })
            })
            .collect()
    }

    /// Runs a sample again and shows where the levels part: schedule, then artifact.
    pub(super) fn explain(
        &self,
        sample: usize,
        stimulus: &Stimulus,
    ) -> Result<[Option<DivergenceReport>; 2], SimError> {
        let logical = self.quantized.run(stimulus, &IntProbe::None)?;
        let hardware = self.scheduled.run(stimulus, &IntProbe::None)?;
        let decoded = self.cores.run(stimulus, &CoreProbe::None)?;
        let schedule = compare::compare(
            &IntSubject { sim: &self.quantized, stimulus, run: &logical },
            &IntSubject { sim: &self.scheduled, stimulus, run: &hardware },
        )?;
        let artifact = compare::first_divergence(&self.hardware_pairs(&hardware, &decoded)?)?;
        let artifact = artifact.map(|divergence| Explained { divergence, left: None, right: None });
        let report = |found: Option<Explained>, levels| {
            found.map(|f| DivergenceReport::new(sample, &f, levels))
        };
        Ok([
            report(schedule.first, ["quantized", "scheduled"]),
            report(artifact, ["scheduled", "artifact"]),
        ])
    }
}

/// Pairs every record of the left side with its counterpart.
fn paired<'a>(left: &'a [Record], right: &'a [Record]) -> Result<Vec<Pair<'a>>, SimError> {
    let pair = |left: &'a Record| {
        let name = left.name.as_str();
        let right = right.iter().find(|r| r.name == name).ok_or_else(|| unmatched(name))?;
        Ok(Pair { name, left: left.activity(), right: right.activity() })
    };
    left.iter().map(pair).collect()
}

fn unmatched(name: &str) -> SimError {
    SimError::Unmatched { name: name.to_owned(), side: "left" }
}

fn counts(pairs: &[Pair<'_>]) -> Result<Counts, SimError> {
    let distances = compare::distances(pairs)?;
    let sent = |graded: bool| {
        let pairs = pairs.iter().zip(&distances).filter(move |(p, _)| p.is_graded() == graded);
        pairs.map(|(_, d)| d.left).sum()
    };
    Ok(Counts {
        populations: pairs.len(),
        spikes: sent(false),
        messages: sent(true),
        differing: distances.iter().map(|d| d.differing).sum(),
    })
}
