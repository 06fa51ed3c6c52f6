//! Rules of logical and of hardware time.

use super::{codes, host, population_place, projection_place};
use crate::arena::{Entity, PopId};
use crate::check::MAX_DELAY;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::graph;
use crate::quantized::{
    Graded, IntNeuron, IntReset, PopKind, Projection, QuantizedDraft, Role, Schedule, Structure,
    Time,
};

/// Checks delays, schedule and roles; every reference exists.
pub(super) fn check(draft: &QuantizedDraft, out: &mut Diagnostics) {
    for (id, projection) in draft.projections.iter().filter(|(_, p)| p.delay > MAX_DELAY) {
        out.push(
            Diagnostic::error(codes::DELAY, format!("the delay is {} steps", projection.delay))
                .at(projection_place(draft, id))
                .note(format!("expected at most {MAX_DELAY}"))
                .help("check the unit of the delay"),
        );
    }
    match &draft.time {
        Time::Logical => logical(draft, out),
        Time::Hardware(schedule) => hardware(draft, schedule, out),
    }
}

fn logical(draft: &QuantizedDraft, out: &mut Diagnostics) {
    for (id, population) in draft.populations.iter() {
        if population.role != Role::Logical {
            out.push(
                Diagnostic::error(codes::ROLE, "a relay or clock in logical time")
                    .at(population_place(draft, id))
                    .help("only the schedule pass makes relays and clocks, in hardware time"),
            );
        }
    }
    for part in graph::loops(draft.populations.len(), &draft.zero_delay_edges()) {
        let names: Vec<_> = part
            .iter()
            .map(|&i| format!("\"{}\"", draft.populations[PopId::new(i)].name))
            .collect();
        out.push(
            Diagnostic::error(codes::LOOP, "projections of delay 0 form a loop")
                .at(population_place(draft, PopId::new(part[0])))
                .note(format!("the loop runs through {}", names.join(", ")))
                .help("give one projection of the loop a delay of at least 1"),
        );
    }
}

fn hardware(draft: &QuantizedDraft, schedule: &Schedule, out: &mut Diagnostics) {
    let mut malformed = |message: String, expected: String| {
        out.push(
            Diagnostic::error(codes::SCHEDULE, message)
                .at("schedule")
                .note(format!("expected {expected}"))
                .help("run the schedule pass again"),
        );
    };
    if schedule.period == 0 {
        malformed("the period is 0 steps".to_owned(), "at least 1".to_owned());
        return;
    }
    if schedule.latency.len() != draft.populations.len() {
        malformed(
            format!("there are {} latencies", schedule.latency.len()),
            format!("{}, one per population", draft.populations.len()),
        );
        return;
    }
    for (id, projection) in draft.projections.iter() {
        if let Some((code, message, expected)) = timing(draft, schedule, projection) {
            out.push(
                Diagnostic::error(code, message)
                    .at(projection_place(draft, id))
                    .note(format!("expected {expected}"))
                    .help("run the schedule pass again instead of editing delays or latencies"),
            );
        }
    }
    for entry in &draft.host {
        let latency = schedule.latency[entry.target.index()];
        if schedule.period != 1 || latency != 0 {
            out.push(
                Diagnostic::error(
                    codes::SCHEDULE,
                    format!(
                        "the host writes to a population of latency {latency} at period {}",
                        schedule.period
                    ),
                )
                .at(host::host_place(draft, entry))
                .note("expected latency 0 and period 1: such a bias acts in every step")
                .help("give loops enough delay for a period of 1, or code the input as spikes"),
            );
        }
    }
    for (id, population) in draft.populations.iter() {
        let problem = match population.role {
            Role::Logical => None,
            Role::Relay { of, hops } => relay(draft, schedule, id, of, hops),
            Role::Clock => clock(draft, id),
        };
        if let Some(problem) = problem {
            out.push(
                Diagnostic::error(codes::ROLE, "the population does not do what its role says")
                    .at(population_place(draft, id))
                    .note(problem)
                    .help("run the schedule pass again, which makes relays and clocks"),
            );
        }
    }
}

/// What is wrong with the delay of one projection: code, message, expectation.
fn timing(
    draft: &QuantizedDraft,
    schedule: &Schedule,
    projection: &Projection,
) -> Option<(Code, String, String)> {
    let Projection { source, target, delay, .. } = *projection;
    if delay == 0 {
        let message = "the delay is 0 in hardware time".to_owned();
        return Some((codes::DELAY, message, "at least 1: every spike takes a step".to_owned()));
    }
    let latency = |id: PopId| i64::from(schedule.latency[id.index()]);
    // P · logical delay.
    let slack = i64::from(delay) + latency(source) - latency(target);
    let period = i64::from(schedule.period);
    let same_step = draft.populations[target].role != Role::Logical
        || draft.populations[source].role == Role::Clock;
    let holds = if same_step { slack == 0 } else { slack >= 0 && slack % period == 0 };
    let facts = format!(
        "latencies {} -> {}, period {period}, delay {delay}: {slack} steps remain",
        latency(source),
        latency(target)
    );
    (!holds).then(|| {
        let expected = if same_step {
            "none at a relay or clock"
        } else {
            "a whole number of logical steps, not negative"
        };
        (codes::SCHEDULE, format!("spikes arrive in the wrong step ({facts})"), expected.to_owned())
    })
}

/// What is wrong with the relay `id` of `of`, if anything.
fn relay(
    draft: &QuantizedDraft,
    schedule: &Schedule,
    id: PopId,
    of: PopId,
    hops: u32,
) -> Option<String> {
    let population = &draft.populations[id];
    let Some(source) = draft.populations.get(of) else {
        return Some(format!("it repeats {of}, which does not exist"));
    };
    if source.role != Role::Logical {
        return Some(format!(
            "it repeats \"{}\", which is no population of the source",
            source.name
        ));
    }
    if population.shape != source.shape {
        return Some(format!(
            "shape {}, but \"{}\" has {}",
            population.shape, source.name, source.shape
        ));
    }
    let [latency, head] = [id, of].map(|p| u64::from(schedule.latency[p.index()]));
    if hops == 0 || latency != head + u64::from(hops) {
        return Some(format!(
            "latency {latency}, but that of \"{}\" is {head} and hops {hops}",
            source.name
        ));
    }
    let mut incoming = draft.projections_into(id);
    let (Some((_, projection)), None) = (incoming.next(), incoming.next()) else {
        return Some("expected exactly one projection into a relay".to_owned());
    };
    let from = &draft.populations[projection.source];
    let in_chain =
        projection.source == of || matches!(from.role, Role::Relay { of: o, .. } if o == of);
    if !in_chain {
        return Some(format!("it reads \"{}\", not the chain of \"{}\"", from.name, source.name));
    }
    let matrix = &draft.matrices[projection.matrix];
    if !matches!(matrix.structure, Structure::Identity { .. }) {
        return Some("expected an identity matrix into a relay".to_owned());
    }
    let weight = matrix.mantissa.first().map_or(0, |_| i64::from(matrix.weight(0)));
    match (&population.kind, &source.kind) {
        (PopKind::Graded(relay), PopKind::Graded(graded)) => repeats(relay, graded, weight),
        (PopKind::Neurons(neuron), PopKind::Neurons(_) | PopKind::Input(_)) => {
            fires(neuron, weight)
        }
        (PopKind::Input(_), _) => Some("a relay is made of neurons, not an input".to_owned()),
        (PopKind::Neurons(_), PopKind::Graded(_)) => {
            Some(format!("\"{}\" sends messages, which only a graded relay repeats", source.name))
        }
        (PopKind::Graded(_), _) => {
            Some(format!("\"{}\" sends spikes, which only a spiking relay repeats", source.name))
        }
    }
}

/// What keeps a graded relay from repeating each message of `graded` unchanged, if anything.
fn repeats(relay: &Graded, graded: &Graded, weight: i64) -> Option<String> {
    let plain = relay.keep == graded.keep
        && relay.shift == 0
        && relay.bias.values().iter().all(|b| *b == 0);
    (weight != 1 || !plain).then(|| {
        format!(
            "expected a weight of 1, bias 0, shift 0 and the same sign kept; the weight is {weight} \
             and the shift {}",
            relay.shift
        )
    })
}

/// What keeps a neuron from repeating each spike in the step of its arrival, if anything.
fn fires(neuron: &IntNeuron, weight: i64) -> Option<String> {
    let fires = neuron.threshold.values().iter().all(|t| (weight << 6) > i64::from(*t));
    let plain = neuron.du.values().iter().all(|du| *du == 4095)
        && neuron.bias.values().iter().all(|b| *b == 0)
        && neuron.refractory == 1
        && neuron.update_period == 1
        && neuron.reset == IntReset::Zero;
    if !fires || !plain {
        return Some(format!(
            "expected a weight above threshold, du 4095, bias 0, reset to zero, refractory 1 and \
             update period 1; the weight is {weight}"
        ));
    }
    None
}

/// What is wrong with the clock `id`, if anything.
fn clock(draft: &QuantizedDraft, id: PopId) -> Option<String> {
    if draft.populations[id].neuron().is_none() {
        return Some("a clock is made of spiking neurons".to_owned());
    }
    let foreign =
        draft.projections_into(id).find(|(_, p)| draft.populations[p.source].role != Role::Clock);
    foreign.map(|(_, p)| {
        format!("it reads \"{}\", which is no clock", draft.populations[p.source].name)
    })
}
