//! `schedule`: from logical to hardware time (class: exact, up to the shift by latencies).
//!
//! In logical time a spike crosses all zero-delay projections within one step. On the chip every
//! spike takes at least one step, so each population gets a latency ℓ and each logical step P
//! hardware steps (`timing`), such that logical spike `(n, t)` is hardware spike `(n, P·t + ℓ)`.
//! What follows from it is made explicit in the network:
//!
//! * **Path balancing** (`relay`): a projection of logical delay d takes `P·d + ℓ_b − ℓ_a` steps.
//!   All but one of them become synaptic delay, or a chain of relay neurons that the projections of
//!   a population share (`delays=relay`, and wherever the delay register is too small).
//! * **Bias gating** (`clock`): a population must not integrate its bias before step ℓ, nor in
//!   the idle steps of P > 1. Where the static register would do that, it becomes 0 and clock
//!   neurons carry the bias as spikes from the right step on. Inputs and currents need no gate:
//!   nothing arrives before step ℓ, and a membrane at 0 without bias stays there.
//! * **Idle steps** (P > 1): a neuron without leak and without current memory that resets to zero
//!   does not change when nothing arrives. Any other needs a programmable neuron that updates every P-th step
//!   (`update_period`); targets without it refuse, naming the loop that forces P.
//! * **Refractory time**: r updates become `P·(r − 1) + 1` hardware updates.
//! * **Graded relays** are populations like others, one hop each. They have no state, so in idle
//!   steps, without a static bias, they send nothing; nor with a silent one, too small to be sent on
//!   its own ([`Graded`]), which therefore needs no gate: the bias that makes a shift round to nearest
//!   costs no clock. Relays of the path balancing behind them pass on messages instead of spikes,
//!   without shifting them once more.
//! * **Biases from the host** act in every step from step 0 on, so their populations need latency 0 and
//!   P = 1 (`host`); refused by name otherwise.
//!
//! Nets whose projections all have a delay of at least 1 come out unchanged but for the clock.
//! Complexity: O(populations · projections · log populations).

mod clock;
mod host;
mod relay;
#[cfg(test)]
mod tests;
mod timing;

use crate::fold_integers::equal;
use crate::framework::{Class, Context, OptionInfo, OptionKind, Pass, PassInfo, Property};
use snnc_ir::arena::{MatId, PopId};
use snnc_ir::diag::codes;
use snnc_ir::quantized::{
    Graded, IntMatrix, IntReset, PopKind, Population, QuantizedDraft, QuantizedNetwork, Schedule,
    Time,
};
use snnc_ir::{Diagnostic, Diagnostics, Entity, Param};
use timing::{Hop, Timing, solve};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScheduleTime;

const DELAYS: &[&str] = &["synaptic", "relay"];

impl Pass for ScheduleTime {
    type From = QuantizedNetwork;
    type To = QuantizedNetwork;

    fn info(&self) -> &'static PassInfo {
        &PassInfo {
            name: "schedule",
            summary: "move to hardware time: latencies, path balancing, bias gating, period of loops",
            class: Class::Exact,
            requires: &[Property::StrictCompare],
            establishes: &[Property::HardwareTime],
            invalidates: &[],
            options: &[OptionInfo {
                name: "delays",
                kind: OptionKind::Choice(DELAYS),
                default: "synaptic",
                help: "realize delays in synapses, or with relay neurons",
            }],
        }
    }

    fn run(
        &self,
        draft: QuantizedDraft,
        cx: &mut Context<'_>,
    ) -> Result<QuantizedDraft, Diagnostics> {
        if draft.time != Time::Logical {
            return Err(already_scheduled(&draft.name).into());
        }
        let hops: Vec<Hop> = draft
            .projections
            .values()
            .map(|p| Hop { source: p.source.index(), target: p.target.index(), delay: p.delay })
            .collect();
        let mut timing = solve(draft.populations.len(), &hops);
        let mut errors = Diagnostics::new();
        let mut draft = draft;
        host::check(&draft, &timing, &mut errors);
        slow_down(&mut draft, &timing, cx, &mut errors);
        if timing.period > 1 && needs_shift(&draft, &timing) {
            // A clock for P > 1 first fires at step P − 1, too late for these biases: everything
            // starts one period later instead.
            timing.latency.iter_mut().for_each(|l| *l += timing.period);
        }
        let max_delay = match cx.options.choice("delays") {
            "relay" => 0,
            _ => u32::try_from(cx.target.max_delay.value).unwrap_or(0),
        };
        let mut builder =
            Builder::new(draft, timing, max_delay, cx.target.min_weight_exponent.value > -1);
        relay::balance(&mut builder);
        clock::gate_biases(&mut builder, cx.target, &mut errors);
        let draft = builder.finish(cx);
        errors.into_result(draft)
    }
}

fn already_scheduled(name: &str) -> Diagnostic {
    Diagnostic::error(
        codes::mapping::ALREADY_SCHEDULED,
        format!("network `{name}` is already in hardware time"),
    )
    .help("leave `schedule` out of the pipeline")
}

/// Makes populations fit for P > 1, or refuses them.
fn slow_down(
    draft: &mut QuantizedDraft,
    timing: &Timing,
    cx: &mut Context<'_>,
    errors: &mut Diagnostics,
) {
    if timing.period == 1 {
        return;
    }
    let loop_text = loop_text(draft, timing);
    cx.remarks.push(
        Diagnostic::note_only(
            codes::mapping::PERIOD,
            format!("one logical step takes {} hardware steps", timing.period),
        )
        .note(format!("the loop {loop_text} has more hops than its delays allow in one step each"))
        .help("a delay of one step on each of its projections brings the period back to 1"),
    );
    for population in draft.populations.values_mut() {
        let PopKind::Neurons(neuron) = &mut population.kind else { continue };
        let place = format!("population `{}`", population.name);
        // What a subtraction leaves may still be above the threshold, and fire in an idle step.
        let idle_invariant = neuron.reset == IntReset::Zero
            && neuron.dv.values().iter().all(|&d| d == 0)
            && neuron.du.values().iter().all(|&d| d == 4095);
        if !idle_invariant {
            if cx.target.programmable_neuron {
                neuron.update_period = timing.period;
                continue;
            }
            errors.push(
                Diagnostic::error(
                    codes::mapping::UNBALANCED_LEAK,
                    format!(
                        "population `{}` leaks, but each logical step takes {} hardware steps on target `{}`",
                        population.name, timing.period, cx.target.name
                    ),
                )
                .at(place.clone())
                .note(format!("the loop {loop_text} forces {} steps; a leaky neuron would leak in each of them", timing.period))
                .note(format!("{}: programmable_neuron = false", cx.target.file))
                .help("compile for `loihi2`, remove the leak, or put a delay of one step on every projection of the loop"),
            );
            continue;
        }
        let longest = cx.target.max_refractory.value;
        let hardware = i64::from(timing.period) * (i64::from(neuron.refractory) - 1) + 1;
        match u32::try_from(hardware) {
            Ok(updates) if hardware <= longest => neuron.refractory = updates,
            _ => errors.push(
                Diagnostic::error(
                    codes::mapping::LONG_REFRACTORY,
                    format!(
                        "population `{}` is refractory for {hardware} hardware updates; target `{}` allows {longest}",
                        population.name, cx.target.name
                    ),
                )
                .at(place)
                .note(format!("the loop {loop_text} forces {} hardware steps per logical step", timing.period))
                .note(format!("{}: max_refractory = {}", cx.target.file, cx.target.max_refractory))
                .help("shorten the refractory time, or put a delay of one step on every projection of the loop"),
            ),
        }
    }
}

/// The loop that forces the period, in words.
fn loop_text(draft: &QuantizedDraft, timing: &Timing) -> String {
    let names = timing.critical.iter().chain(timing.critical.first());
    let names = names.map(|&i| draft.populations[PopId::new(i)].name.as_str());
    names.collect::<Vec<_>>().join(" → ")
}

/// Whether the static bias register of a population would act in a step in which it must not.
fn must_gate(population: &Population, period: u32, latency: u32) -> bool {
    let silent = |bias: &Param<i32>| bias.values().iter().all(|&b| b == 0);
    match &population.kind {
        PopKind::Input(_) => false,
        PopKind::Graded(Graded { bias, shift, .. }) => {
            bias.values().iter().any(|&b| !Graded::silent(*shift, b))
        }
        // A neuron that updates every P-th step first updates at step ℓ mod P.
        PopKind::Neurons(neuron) => {
            !silent(&neuron.bias) && (neuron.update_period != period || latency >= period)
        }
    }
}

/// Whether a gated bias would have to arrive before a clock of this period can deliver it.
fn needs_shift(draft: &QuantizedDraft, timing: &Timing) -> bool {
    draft.populations.iter().any(|(id, population)| {
        let latency = timing.latency[id.index()];
        must_gate(population, timing.period, latency) && latency < timing.period
    })
}

/// The network under construction.
struct Builder {
    draft: QuantizedDraft,
    period: u32,
    latency: Vec<u32>,
    /// Largest synaptic delay register.
    max_delay: u32,
    /// Whether weights of both signs take a projection for each: one for both would need an exponent of −1.
    apart: bool,
    /// The floor that relays and clocks get.
    floor: Option<i32>,
    relays: usize,
    clocks: usize,
}

impl Builder {
    fn new(draft: QuantizedDraft, timing: Timing, max_delay: u32, apart: bool) -> Self {
        let Timing { period, latency, .. } = timing;
        let floor = relay::common_floor(&draft);
        Self { draft, period, latency, max_delay, apart, floor, relays: 0, clocks: 0 }
    }

    /// Adds a population that the source network does not have.
    fn add_population(&mut self, population: Population, latency: u32) -> PopId {
        self.latency.push(latency);
        self.draft.populations.push(population)
    }

    /// A population name that is not taken: `wanted`, with primes if need be.
    fn free_name(&self, wanted: String) -> String {
        let mut name = wanted;
        while self.draft.population_named(&name).is_some() {
            name.push('\'');
        }
        name
    }

    /// The matrix equal to `matrix`, added if there is none.
    fn intern(&mut self, matrix: IntMatrix) -> MatId {
        let found = self.draft.matrices.iter().find(|(_, m)| equal(m, &matrix));
        match found {
            Some((id, _)) => id,
            None => self.draft.matrices.push(matrix),
        }
    }

    fn finish(mut self, cx: &mut Context<'_>) -> QuantizedDraft {
        let note = |code, count: usize, what: &str| {
            Diagnostic::note_only(code, format!("the schedule adds {count} {what} neurons"))
        };
        if self.relays > 0 {
            cx.remarks.push(note(codes::mapping::RELAYS, self.relays, "relay"));
        }
        if self.clocks > 0 {
            cx.remarks.push(note(codes::mapping::CLOCKS, self.clocks, "clock"));
        }
        self.draft.time = Time::Hardware(Schedule {
            period: self.period,
            latency: std::mem::take(&mut self.latency),
        });
        self.draft
    }
}
