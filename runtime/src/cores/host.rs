//! What the host writes to bias registers before a run.

use super::CoreSim;
use super::check::{entry, malformed};
use super::columns::Columns;
use super::state::CoreState;
use crate::error::SimError;
use crate::stimulus::{Signal, Stimulus};
use snnc_ir::network::Coding;
use snnc_ir::program::{HostMap, Program, SymbolRole};

/// A [`HostMap`], checked.
pub(super) struct HostTable {
    input: usize,
    target: usize,
    rows: usize,
    weights: Columns<f32>,
    scale: f64,
}

/// Whether a symbol is an input that takes frames.
pub(super) const fn frames(role: &SymbolRole) -> bool {
    matches!(role, SymbolRole::Input(Coding::Direct { .. }))
}

/// The tables of a program; `places` tells which symbols have compartments.
pub(super) fn tables(
    program: &Program,
    places: &[Vec<(u32, u32)>],
) -> Result<Vec<HostTable>, SimError> {
    program
        .host
        .iter()
        .enumerate()
        .map(|(i, map)| HostTable::new(program, places, i, map))
        .collect()
}

impl HostTable {
    fn new(
        program: &Program,
        places: &[Vec<(u32, u32)>],
        index: usize,
        map: &HostMap,
    ) -> Result<Self, SimError> {
        let input = entry("host input", &program.populations, map.input)?;
        let target = entry("host target", &program.populations, map.target)?;
        let bad = |what: String| malformed(format!("host table {index}: {what}"));
        if !frames(&input.role) {
            return bad(format!("`{}` takes no frame", input.name));
        }
        let rows = map.structure.rows();
        if places[map.target as usize].len() != rows {
            return bad(format!("{rows} rows for the compartments of `{}`", target.name));
        }
        if map.structure.cols() != input.shape.size() {
            return bad(format!("{} columns for `{}`", map.structure.cols(), input.name));
        }
        if !map.scale.is_finite() || map.weights.iter().any(|w| !w.is_finite()) {
            return bad("a number that is not finite".to_owned());
        }
        Ok(Self {
            input: map.input as usize,
            target: map.target as usize,
            rows,
            weights: Columns::new(&map.structure, &map.weights, &format!("host table {index}"))?,
            scale: map.scale,
        })
    }

    /// Currents of the target's neurons in their own unit: element by element of the frame, so that
    /// every neuron's terms come in ascending order of elements.
    fn currents(&self, frame: &[f32]) -> Vec<f64> {
        let mut sums = vec![0.0_f64; self.rows];
        for (element, &x) in frame.iter().enumerate() {
            self.weights.visit(element, 0..self.rows, |row, weight| {
                sums[row] += f64::from(weight) * f64::from(x);
            });
        }
        sums
    }
}

impl CoreSim<'_> {
    /// Adds to the bias registers what the host computes from the frames of `stimulus`.
    ///
    /// # Errors
    /// [`SimError::HostBias`].
    pub(super) fn write_biases(
        &self,
        stimulus: &Stimulus,
        states: &mut [CoreState<'_>],
    ) -> Result<(), SimError> {
        for table in &self.tables.host {
            let position = self.tables.inputs.binary_search(&table.input).ok();
            // An input that takes frames was checked to have been given one.
            let Some(Signal::Frame(frame)) = position.and_then(|k| stimulus.inputs.get(k)) else {
                continue;
            };
            let places = &self.tables.places[table.target];
            for (neuron, (current, &(core, c))) in
                table.currents(frame).into_iter().zip(places).enumerate()
            {
                let units = (current * table.scale).round_ties_even();
                if units.abs() > f64::from(i32::MAX) {
                    let population = self.program.populations[table.target].name.clone();
                    return Err(SimError::HostBias { population, neuron, value: units });
                }
                #[expect(clippy::cast_possible_truncation, reason = "checked to fit")]
                states[core as usize].add_bias(c as usize, units as i64);
            }
        }
        Ok(())
    }
}
