//! Single changes to a program that change what it computes.
//!
//! Each class changes one number of one table of a valid program in a way that no certificate may
//! survive. Changes that would leave the computation as it is (a delay of a synapse of weight 0, a
//! clock neuron swapped for another of the same clock, …) are never made: where a program offers
//! no other, [`apply`] returns `None`. [`netx`] does the same to `network.net`.

mod blocks;
mod header;
mod messages;
pub mod netx;
mod neurons;
mod pool;
mod routes;
mod view;

use snnc_ir::program::Program;

/// A change: picks a place at random, changes it, and says what it did.
type Change = fn(&mut Program, &mut Chance) -> Option<String>;

const CLASSES: &[(&str, Change)] = &[
    // The header, symbols and readout.
    ("name", header::name),
    ("target", header::target),
    ("steps", header::steps),
    ("period", header::period),
    ("run-steps", header::run_steps),
    ("symbol-name", header::symbol_name),
    ("symbol-shape", header::symbol_shape),
    ("symbol-role", header::symbol_role),
    ("coding", header::coding),
    ("latency", header::latency),
    ("relay-hops", header::relay_hops),
    ("relay-of", header::relay_of),
    ("clock-phase", header::clock_phase),
    ("readout", header::readout),
    // Compartments and their registers.
    ("neuron-dropped", neurons::dropped),
    ("neuron-doubled", neurons::doubled),
    ("neurons-swapped", neurons::swapped),
    ("population-index", neurons::population),
    ("profile-index", neurons::profile_index),
    ("threshold-index", neurons::threshold_index),
    ("threshold", neurons::threshold),
    ("current-decay", neurons::current_decay),
    ("membrane-decay", neurons::membrane_decay),
    ("refractory", neurons::refractory),
    ("reset", neurons::reset),
    ("floor", neurons::floor),
    ("update-period", neurons::update_period),
    ("update-phase", neurons::update_phase),
    ("bias-mantissa", neurons::bias_mantissa),
    ("bias-exponent", neurons::bias_exponent),
    ("bias-start", neurons::bias_start),
    ("clock-bias", neurons::clock_bias),
    ("cycle-phase", neurons::cycle_phase),
    ("symbol-block", pool::symbol_block),
    ("chip", neurons::chip),
    ("cell", neurons::cell),
    // Graded relays, and what the host writes.
    ("graded-mode", messages::mode),
    ("graded-shift", messages::shift),
    ("graded-spiking", messages::spiking),
    ("graded-relay", messages::relay_mode),
    ("host-weight", messages::host_weight),
    ("host-scale", messages::host_scale),
    ("host-structure", messages::host_structure),
    ("host-input", messages::host_input),
    ("host-target", messages::host_target),
    ("host-dropped", messages::host_dropped),
    ("host-doubled", messages::host_doubled),
    ("range", messages::range),
    // Synapses.
    ("weight", blocks::weight),
    ("weight-sign", blocks::weight_sign),
    ("weight-dropped", blocks::weight_dropped),
    ("pool-values", pool::values),
    ("pool-layout", pool::layout),
    ("structure", blocks::structure),
    ("crop", messages::crop),
    ("delay", blocks::delay),
    ("block-dropped", blocks::dropped),
    ("block-doubled", blocks::doubled),
    ("block-row", blocks::row),
    ("block-column", blocks::column),
    ("block-axon", blocks::axon),
    ("block-compartment", blocks::compartment),
    ("block-matrix", blocks::matrix),
    ("block-format", blocks::format),
    ("exponent", blocks::exponent),
    ("sign-mode", blocks::sign_mode),
    ("weight-bits", blocks::weight_bits),
    ("delay-bits", blocks::delay_bits),
    // Routes of cores and of inputs.
    ("route-core", routes::core),
    ("route-axon", routes::axon),
    ("route-source", routes::source),
    ("route-length", routes::length),
    ("route-dropped", routes::dropped),
    ("route-doubled", routes::doubled),
    ("input-core", routes::input_core),
    ("input-axon", routes::input_axon),
    ("input-neuron", routes::input_neuron),
    ("input-population", routes::input_population),
    ("input-length", routes::input_length),
    ("input-dropped", routes::input_dropped),
    ("input-doubled", routes::input_doubled),
    ("axons", routes::axons),
];

/// Names of the classes.
pub fn classes() -> impl Iterator<Item = &'static str> {
    CLASSES.iter().map(|(name, _)| *name)
}

/// Makes one change of `class` at a place that `seed` picks; says what was changed.
///
/// `None`, with the program unchanged, if the class is unknown or the program offers no place where
/// the change would matter. The program must be a valid one.
pub fn apply(class: &str, program: &mut Program, seed: u64) -> Option<String> {
    let (_, change) = CLASSES.iter().find(|(name, _)| *name == class)?;
    change(program, &mut Chance(seed))
}

/// A small generator of reproducible choices (`SplitMix64`, Steele et al., 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`; 0 if `n` is 0.
    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % (n.max(1) as u64)).unwrap_or(0)
    }

    fn coin(&mut self) -> bool {
        self.next() & 1 == 1
    }

    /// The items, starting at a random one.
    fn rotated<T>(&mut self, items: impl IntoIterator<Item = T>) -> Vec<T> {
        let mut items: Vec<T> = items.into_iter().collect();
        let by = self.below(items.len());
        items.rotate_left(by);
        items
    }

    /// One of the items.
    fn pick<T>(&mut self, items: impl IntoIterator<Item = T>) -> Option<T> {
        self.rotated(items).into_iter().next()
    }

    /// `value ± 1`, inside `low..=high`; `None` if neither is.
    fn nudge(&mut self, value: i64, low: i64, high: i64) -> Option<i64> {
        let up = self.coin();
        let near = if up { [value + 1, value - 1] } else { [value - 1, value + 1] };
        near.into_iter().find(|v| (low..=high).contains(v))
    }
}
