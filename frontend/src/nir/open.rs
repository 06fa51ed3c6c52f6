//! What a graph leaves to its reader: a NIR file says what is computed, and not when.
//!
//! Which graphs leave what open follows from the graph; what simulators choose is documented with
//! their exporters and was compared on small graphs. `docs/nir.md` has the table.

use super::check::{Checked, range};
use super::graph::{NirFile, NirGraph, Primitive};
use crate::arrays::Array;
use serde::Serialize;

/// An attribute that the graph does not decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Open {
    /// Short name: `dt`, `time-unit`, `reset`, …
    pub attribute: &'static str,
    /// What depends on it in this graph.
    pub decides: String,
    /// What readers choose.
    pub choices: &'static str,
}

/// What of a graph an attribute depends on.
#[derive(Default)]
struct Traits {
    /// Smallest and largest time constant or delay.
    times: Option<[f64; 2]>,
    leaky: usize,
    firing: usize,
    integrating: usize,
    delays: usize,
    /// `r` of integrate-and-fire neurons.
    if_r: Option<[f64; 2]>,
    /// `v_reset` other than 0.
    reset: usize,
    /// `v_leak` other than 0.
    leak: usize,
    /// `r` other than 1 where it is a gain of its own.
    gain: usize,
    /// `w_in` other than 1.
    weight: usize,
    filtered: usize,
}

fn join(a: Option<[f64; 2]>, b: Option<[f64; 2]>) -> Option<[f64; 2]> {
    match (a, b) {
        (Some([a, b]), Some([c, d])) => Some([a.min(c), b.max(d)]),
        (one, other) => one.or(other),
    }
}

impl Traits {
    fn add(&mut self, graph: &NirGraph) {
        for node in graph.nodes.values() {
            let primitive = &node.primitive;
            if let Primitive::Graph(inner) = primitive {
                self.add(inner);
                continue;
            }
            let arrays = primitive.arrays();
            let of = |name: &str| arrays.iter().find(|(n, _)| *n == name).map(|(_, a)| *a);
            let differs = |name: &str, from: f64| of(name).is_some_and(|a| !all(a, from));
            for name in ["tau", "tau_mem", "tau_syn", "delay"] {
                self.times = join(self.times, of(name).and_then(|a| range(&a.data)));
            }
            self.leaky += usize::from(of("v_leak").is_some());
            self.firing += usize::from(of("v_threshold").is_some());
            self.delays += usize::from(of("delay").is_some());
            self.integrating += usize::from(of("r").is_some());
            self.reset += usize::from(differs("v_reset", 0.0));
            self.leak += usize::from(differs("v_leak", 0.0));
            self.weight += usize::from(differs("w_in", 1.0));
            if matches!(primitive, Primitive::If { .. }) {
                self.if_r = join(self.if_r, of("r").and_then(|a| range(&a.data)));
            } else {
                self.gain += usize::from(differs("r", 1.0));
            }
        }
        for (from, to) in &graph.edges {
            let of = |name: &String| graph.nodes.get(name).map(|n| &n.primitive);
            let biased = match of(from) {
                Some(Primitive::Affine { bias, .. }) => !all(bias, 0.0),
                Some(Primitive::Conv1d(c)) => !all(&c.bias, 0.0),
                Some(Primitive::Conv2d(c)) => !all(&c.bias, 0.0),
                _ => false,
            };
            let current =
                matches!(of(to), Some(Primitive::CubaLi { .. } | Primitive::CubaLif { .. }));
            self.filtered += usize::from(biased && current);
        }
    }
}

fn all(array: &Array, value: f64) -> bool {
    range(&array.data).is_none_or(|found| found.iter().all(|x| (x - value).abs() <= 0.0))
}

/// What `file` leaves open, in the order in which one would decide.
pub fn open(file: &NirFile, checked: &Checked) -> Vec<Open> {
    let Primitive::Graph(graph) = &file.root.primitive else { return Vec::new() };
    let mut t = Traits::default();
    t.add(graph);
    let mut found = Vec::new();
    let mut say = |attribute, when: bool, decides: String, choices| {
        if when {
            found.push(Open { attribute, decides, choices });
        }
    };
    let nodes = |n: usize| if n == 1 { "1 node".to_owned() } else { format!("{n} nodes") };
    say(
        "dt",
        t.integrating + t.delays > 0,
        format!("the step of time of {}", nodes(t.integrating + t.delays)),
        "snnTorch and SpikingJelly 0.1 ms; Norse 1 ms; Spyx 1; Rockpool guesses it from the smallest \
         time constant; sinabs: the time constants are steps",
    );
    if let Some([low, high]) = t.times {
        say(
            "time-unit",
            true,
            format!(
                "time constants and delays of {} to {}: {} as seconds, {} as \
                 milliseconds, {} as steps",
                number(low),
                number(high),
                seconds(low, high, 1.0),
                seconds(low, high, 1e-3),
                plausible_steps(low, high),
            ),
            "the documentation says ms; most exporters write seconds; sinabs counts steps",
        );
    }
    say(
        "integration",
        t.leaky > 0,
        format!("the decay within a step, and the gain of the input, of {}", nodes(t.leaky)),
        "forward Euler 1 - dt/tau: snnTorch, Norse, SpikingJelly, Spyx, Lava; exponential \
         exp(-dt/tau): sinabs, Rockpool, Nengo",
    );
    say(
        "comparison",
        t.firing > 0,
        format!("firing at a membrane equal to the threshold, in {}", nodes(t.firing)),
        "above the threshold: the format's equations, snnTorch, Norse, Spyx; at or above: \
         SpikingJelly, sinabs, lava-dl",
    );
    say(
        "reset",
        t.firing > 0,
        format!("the membrane of {} after a spike", nodes(t.firing)),
        "to v_reset: the format's equations, SpikingJelly; to 0: snnTorch, Nengo, Lava; by \
         subtracting the threshold: sinabs, Rockpool, Spyx; an option: Norse, SpiNNaker2",
    );
    say(
        "spikes-per-step",
        t.firing > 0,
        format!("several spikes of a neuron in one step, in {}", nodes(t.firing)),
        "once: most; several times: sinabs, Rockpool",
    );
    if let Some([low, high]) = t.if_r {
        let near = |x: f64| (x - 1.0).abs() < 1e-3;
        let looks = match (near(low) && near(high), low > 10.0) {
            (true, _) => "r is 1: written by a reader that leaves dt out",
            (_, true) => "r is large: r = 1/dt, the literal equation",
            _ => "r is neither 1 nor large: undecided",
        };
        say(
            "if-dialect",
            true,
            format!(
                "whether IF nodes add r·dt or r per step; {looks} (r from {low:?} to {high:?})"
            ),
            "v + dt·r·x, with r = 1/dt: SpikingJelly and the equations; v + r·x, with r = 1: sinabs, \
             Norse, Speck",
        );
    }
    say(
        "gain",
        t.gain + t.weight > 0,
        format!("r other than 1 in {}, w_in other than 1 in {}", nodes(t.gain), nodes(t.weight)),
        "as the equations say; ignored by sinabs, Spyx and for LIF by Norse",
    );
    say(
        "leak-voltage",
        t.leak > 0,
        format!("v_leak other than 0 in {}", nodes(t.leak)),
        "as the equations say: Norse; refused by snnTorch, sinabs and Nengo; ignored by Spyx",
    );
    say(
        "reset-voltage",
        t.reset > 0,
        format!("v_reset other than 0 in {}", nodes(t.reset)),
        "used by SpikingJelly; ignored by snnTorch, sinabs, Rockpool, Norse and Spyx",
    );
    say(
        "bias-into-current",
        t.filtered > 0,
        format!("{} with a bias in front of a neuron with a current", nodes(t.filtered)),
        "the bias enters the current and is filtered with it; Lava's exporter dropped recurrent ones",
    );
    let loops = checked.flat.cycles.len();
    say(
        "recurrence",
        loops > 0,
        format!("the delay of the edges that close loops, of which there are {loops}"),
        "one step: most; Norse leaves recurrent biases out in the first step",
    );
    say(
        "delay-rounding",
        t.delays > 0,
        format!("the number of steps of {}", nodes(t.delays)),
        "the nearest multiple of dt, or none: Norse and snnTorch leave Delay out or refuse it",
    );
    found
}

/// Six digits are enough to recognize a number.
fn number(x: f64) -> String {
    if x != 0.0 && !(1e-4..1e6).contains(&x.abs()) {
        return format!("{x:.5e}");
    }
    format!("{x:.6}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A range of times for people.
fn seconds(low: f64, high: f64, unit: f64) -> String {
    let show = |x: f64| match x * unit {
        s if s >= 1.0 => format!("{s:.3} s"),
        s if s >= 1e-3 => format!("{:.3} ms", s * 1e3),
        s => format!("{:.3} µs", s * 1e6),
    };
    if low.total_cmp(&high).is_eq() {
        show(low)
    } else {
        format!("{} to {}", show(low), show(high))
    }
}

fn plausible_steps(low: f64, high: f64) -> &'static str {
    if low >= 1.0 && high <= 1e5 { "possible" } else { "implausible" }
}
