//! All small networks: every network of up to three neurons over a small alphabet, on every input sequence of six
//! steps.
//!
//! An input that spikes or not in each of six steps has 64 sequences; shorter ones are their beginnings, as no
//! spike depends on later ones. Each neuron is a population of its own, so that every synapse has a delay of its
//! own. Networks that are equal but for the names of their neurons are checked once. [`Scope`] says what the
//! alphabet is for each number of neurons.

use crate::crosscheck::{self, Fault, Seen, Step, Way};
use crate::pipeline::{Delays, Lowering};
use crate::source;
use rayon::prelude::*;
use snnc_ir::arena::{Arena, Entity, PopId};
use snnc_ir::diag::Code;
use snnc_ir::diag::codes::mapping;
use snnc_ir::level::AnyDraft;
use snnc_ir::network::{Coding, Compare, Provenance, UpdateOrder};
use snnc_ir::param::Param;
use snnc_ir::quantized::{
    IntMatrix, IntNeuron, IntReadout, IntReset, PopKind, Population, Projection, QuantizedDraft,
    Role, Sign, Structure, Time,
};
use snnc_ir::shape::Shape;
use snnc_ir::spikes::SpikeTrain;
use snnc_ir::{Recipe, TargetSpec};
use snnc_passes::Registry;
use snnc_runtime::Stimulus;
use std::collections::BTreeMap;
use std::fmt;

/// Steps of every sequence.
pub const STEPS: usize = 6;

/// Codes for which a network may be refused: its loops need several hardware steps per logical step, in which its
/// neurons leak, or are held.
const REFUSALS: &[Code] = &[mapping::UNBALANCED_LEAK, mapping::LONG_REFRACTORY];

/// Membrane units per unit of weight.
const UNIT: i32 = 64;

/// A kind of neuron.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    du: u16,
    dv: u16,
    /// In units of weight.
    threshold: i32,
    /// Fires at `threshold` and one unit of the membrane, written as a comparison with `>=`.
    at_least: bool,
    /// Subtracts this many units of weight instead of a reset to zero; 0 = zero.
    subtract: i32,
    refractory: u32,
}

const PLAIN: Kind =
    Kind { du: 4095, dv: 0, threshold: 1, at_least: false, subtract: 0, refractory: 1 };

/// Neurons: threshold 1 and 2, reset to zero and by subtraction, both comparisons, leaking membrane, current
/// with memory, refractory.
const KINDS: [Kind; 8] = [
    PLAIN,
    Kind { threshold: 2, subtract: 2, ..PLAIN },
    Kind { dv: 2048, ..PLAIN },
    Kind { at_least: true, ..PLAIN },
    Kind { refractory: 2, ..PLAIN },
    Kind { du: 2047, ..PLAIN },
    Kind { threshold: 2, ..PLAIN },
    Kind { subtract: 1, dv: 4095, ..PLAIN },
];

/// Weight and delay of a synapse.
type Synapse = (i16, u32);

/// What networks of one number of neurons are made of.
#[derive(Clone, Copy, Debug)]
pub struct Alphabet {
    /// Neurons of each network.
    pub neurons: usize,
    /// Kinds that a neuron may have: the first so many of all.
    kinds: usize,
    /// Whether all neurons of a network are of one kind.
    alike: bool,
    /// Synapses from the input to a neuron; none is possible, too.
    input: &'static [Synapse],
    /// Synapses between two neurons, or from one to itself; none is possible, too.
    synapses: &'static [Synapse],
}

/// Which networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// For every change: one and two neurons.
    Short,
    /// All that is stated: one, two and three neurons.
    Full,
}

impl Scope {
    /// The alphabets of the scope.
    pub const fn alphabets(self) -> &'static [Alphabet] {
        const ONE: Alphabet = Alphabet {
            neurons: 1,
            kinds: 8,
            alike: false,
            input: &[(1, 0), (2, 0), (-1, 0), (2, 1), (2, 2)],
            synapses: &[(1, 1), (2, 1), (-1, 1), (-2, 1), (1, 2), (-1, 2), (2, 3)],
        };
        const SHORT: Alphabet = Alphabet {
            neurons: 2,
            kinds: 3,
            alike: false,
            input: &[(2, 0)],
            synapses: &[(2, 0), (2, 1), (-1, 1)],
        };
        const TWO: Alphabet = Alphabet {
            neurons: 2,
            kinds: 8,
            alike: false,
            input: &[(2, 0), (1, 1)],
            synapses: &[(2, 0), (1, 0), (2, 1), (-1, 1), (-1, 2)],
        };
        const THREE: Alphabet = Alphabet {
            neurons: 3,
            kinds: 8,
            alike: true,
            input: &[(2, 0)],
            synapses: &[(2, 0), (-1, 1)],
        };
        match self {
            Self::Short => &[ONE, SHORT],
            Self::Full => &[ONE, TWO, THREE],
        }
    }
}

/// A network as digits: kinds of neurons, synapses of the input, synapses by target and source. 0 = none.
type Digits = Vec<usize>;

impl Alphabet {
    /// Choices of each digit.
    fn radix(&self) -> Vec<usize> {
        let n = self.neurons;
        let mut radix = vec![self.kinds; if self.alike { 1 } else { n }];
        radix.extend(vec![self.input.len() + 1; n]);
        radix.extend(vec![self.synapses.len() + 1; n * n]);
        radix
    }

    /// Networks before those that are equal but for names are left out.
    pub fn count(&self) -> usize {
        self.radix().iter().product()
    }

    /// The digits of network `number`.
    fn digits(&self, number: usize) -> Digits {
        let mut rest = number;
        let digit = |radix: usize| {
            let digit = rest % radix;
            rest /= radix;
            digit
        };
        self.radix().into_iter().map(digit).collect()
    }

    /// The digits with neurons in another order.
    fn renamed(&self, digits: &[usize], order: &[usize]) -> Digits {
        let n = self.neurons;
        let (kinds, rest) = digits.split_at(if self.alike { 1 } else { n });
        let (input, synapses) = rest.split_at(n);
        let mut renamed: Digits =
            if self.alike { kinds.to_vec() } else { order.iter().map(|old| kinds[*old]).collect() };
        renamed.extend(order.iter().map(|old| input[*old]));
        for target in order {
            renamed.extend(order.iter().map(|source| synapses[target * n + source]));
        }
        renamed
    }

    /// The network of a number; `None` if another one is equal to it but for names, or if zero delays form a loop.
    pub fn network(&self, number: usize) -> Option<QuantizedDraft> {
        let digits = self.digits(number);
        let orders: &[&[usize]] = match self.neurons {
            2 => &[&[1, 0]],
            3 => &[&[0, 2, 1], &[1, 0, 2], &[1, 2, 0], &[2, 0, 1], &[2, 1, 0]],
            _ => &[],
        };
        if orders.iter().any(|order| self.renamed(&digits, order) < digits) {
            return None;
        }
        let draft = self.build(&digits);
        draft.order().map(|_| draft)
    }

    fn build(&self, digits: &[usize]) -> QuantizedDraft {
        let n = self.neurons;
        let (kinds, rest) = digits.split_at(if self.alike { 1 } else { n });
        let (input, synapses) = rest.split_at(n);
        let shape = || Shape::flat(1);
        let population =
            |name: String, kind| Population { name, shape: shape(), role: Role::Logical, kind };
        let mut populations = Arena::new();
        let source: PopId =
            populations.push(population("x".to_owned(), PopKind::Input(Coding::Events)));
        for i in 0..n {
            let kind = KINDS[kinds[if self.alike { 0 } else { i }]];
            populations.push(population(format!("h{i}"), PopKind::Neurons(neuron(kind))));
        }
        let (mut matrices, mut projections) = (Arena::new(), Arena::new());
        let mut join = |source, target, (weight, delay): Synapse| {
            let matrix = IntMatrix {
                name: format!("w{}", matrices.len()),
                structure: Structure::Dense { rows: 1, cols: 1 },
                mantissa: vec![2 * weight],
                exponent: -1,
                sign: Sign::Mixed,
                provenance: Provenance::Derived { pass: "small".to_owned(), from: vec![] },
            };
            let matrix = matrices.push(matrix);
            projections.push(Projection { source, target, matrix, delay });
        };
        for target in 0..n {
            let id = PopId::new(target + 1);
            if let Some(of_input) = input[target].checked_sub(1) {
                join(source, id, self.input[of_input]);
            }
            for from in 0..n {
                if let Some(choice) = synapses[target * n + from].checked_sub(1) {
                    join(PopId::new(from + 1), id, self.synapses[choice]);
                }
            }
        }
        QuantizedDraft {
            name: "small".to_owned(),
            steps: u32::try_from(STEPS).unwrap_or(1),
            time: Time::Logical,
            populations,
            projections,
            matrices,
            host: Vec::new(),
            readout: IntReadout::SpikeCount(PopId::new(n)),
        }
    }
}

fn neuron(kind: Kind) -> IntNeuron {
    let Kind { du, dv, threshold, at_least, subtract, refractory } = kind;
    IntNeuron {
        du: Param::Uniform(du),
        dv: Param::Uniform(dv),
        threshold: Param::Uniform(threshold * UNIT + i32::from(at_least)),
        compare: if at_least { Compare::Ge } else { Compare::Gt },
        reset: match subtract {
            0 => IntReset::Zero,
            units => IntReset::Subtract(Param::Uniform(units * UNIT)),
        },
        bias: Param::Uniform(0),
        refractory,
        order: UpdateOrder::LeakInputFire,
        update_period: 1,
        floor: None,
    }
}

/// All input sequences.
fn sequences() -> Vec<(&'static str, Stimulus)> {
    let sequence = |bits: usize| {
        let mut train = SpikeTrain::new(STEPS, 1);
        (0..STEPS).filter(|t| bits >> t & 1 == 1).for_each(|t| train.set(t, 0));
        ("a sequence", Stimulus::from(vec![train]))
    };
    (0..1 << STEPS).map(sequence).collect()
}

/// What the check of a scope did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Networks, each once whatever its neurons are called.
    pub networks: u64,
    /// Of these, such as were compiled and certified.
    pub compiled: u64,
    /// Refusals by code.
    pub refused: BTreeMap<Code, u64>,
    /// Input sequences of each.
    pub sequences: u64,
    /// What ran.
    pub seen: Seen,
    /// The first failures: number of neurons, number of the network, and what failed.
    pub faults: Vec<(usize, usize, Fault)>,
    /// All failures.
    pub failed: u64,
}

impl Summary {
    fn add(&mut self, other: Self) {
        self.networks += other.networks;
        self.compiled += other.compiled;
        for (code, count) in other.refused {
            *self.refused.entry(code).or_default() += count;
        }
        self.seen.add(other.seen);
        self.failed += other.failed;
        self.faults.extend(other.faults);
        self.faults.truncate(20);
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (neurons, number, fault) in &self.faults {
            writeln!(f, "network {number} of {neurons} neurons: {fault}")?;
        }
        for (code, count) in &self.refused {
            writeln!(f, "refused: {count} {code} {}", code.info().map_or("", |info| info.title))?;
        }
        let Self { networks, compiled, sequences, seen, failed, .. } = self;
        let Seen { runs, spikes, compared, .. } = seen;
        writeln!(
            f,
            "{networks} networks, {compiled} compiled and certified, {sequences} input sequences each: {runs} runs, \
             {spikes} spikes of sources, {compared} compared; {failed} failed"
        )
    }
}

/// Checks all networks of a scope for `target`; what comes out does not depend on the number of threads.
/// `progress` is told how many numbers of the alphabet of so many are done.
pub fn run(scope: Scope, target: &TargetSpec, progress: &mut dyn FnMut(usize, usize)) -> Summary {
    const PORTION: usize = 4096;
    let registry = Registry::standard();
    let stimuli = sequences();
    let mut summary = Summary { sequences: stimuli.len() as u64, ..Summary::default() };
    for alphabet in scope.alphabets() {
        let count = alphabet.count();
        for start in (0..count).step_by(PORTION) {
            let end = count.min(start + PORTION);
            let found: Vec<Summary> = (start..end)
                .into_par_iter()
                .filter_map(|number| {
                    let draft = alphabet.network(number)?;
                    Some(check(&registry, alphabet.neurons, number, draft, target, &stimuli))
                })
                .collect();
            for one in found {
                summary.add(one);
            }
            progress(end, count);
        }
    }
    summary
}

fn check(
    registry: &Registry,
    neurons: usize,
    number: usize,
    draft: QuantizedDraft,
    target: &TargetSpec,
    stimuli: &[(&str, Stimulus)],
) -> Summary {
    let mut summary = Summary { networks: 1, ..Summary::default() };
    match crosscheck::caught(|| whole(registry, draft, target, stimuli)) {
        Ok(seen) => {
            summary.compiled = 1;
            summary.seen = seen;
        }
        Err(fault)
            if fault.step == Step::Compile
                && !fault.codes.is_empty()
                && fault.codes.iter().all(|c| REFUSALS.contains(c)) =>
        {
            summary.refused.insert(fault.codes[0], 1);
        }
        Err(fault) => {
            summary.failed = 1;
            summary.faults.push((neurons, number, fault));
        }
    }
    summary
}

fn whole(
    registry: &Registry,
    draft: QuantizedDraft,
    target: &TargetSpec,
    stimuli: &[(&str, Stimulus)],
) -> Result<Seen, Fault> {
    let level =
        source::verify(AnyDraft::Quantized(draft)).map_err(|e| Fault::found(Step::Source, &e))?;
    let recipe = Recipe::default();
    let (lowering, delays) = (Lowering::default(), Delays::default());
    let way = Way { target, lowering, delays, recipe: &recipe };
    let stages = crosscheck::compile(registry, level, &way)?;
    let (Some(logical), Some(scheduled), Some(mapped)) =
        (&stages.quantized, &stages.scheduled, &stages.mapped)
    else {
        return Err(Fault::new(Step::Pass, "the pipeline left a stage out"));
    };
    let (program, _) = crosscheck::certified(logical, mapped, target)?;
    crosscheck::simulate(logical, scheduled, mapped, &[("cores", &program)], stimuli)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_is_met_once_whatever_its_neurons_are_called() {
        let alphabet =
            Alphabet { neurons: 2, kinds: 2, alike: false, input: &[(2, 0)], synapses: &[(2, 1)] };
        // 2^2 kinds, 2^2 inputs, 2^4 synapses; by Burnside's lemma half of all and of those that are the same
        // the other way round: both kinds, both inputs and two pairs of synapses alike.
        assert_eq!(alphabet.count(), 256);
        let met = (0..256).filter(|n| alphabet.network(*n).is_some()).count();
        assert_eq!(2 * met, 256 + 2 * 2 * 4);
    }

    #[test]
    fn loops_of_zero_delays_are_no_networks() {
        let alphabet =
            Alphabet { neurons: 1, kinds: 1, alike: false, input: &[], synapses: &[(2, 0)] };
        assert!(alphabet.network(0).is_some());
        assert!(alphabet.network(1).is_none());
    }

    #[test]
    fn all_sequences_differ() {
        let mut all: Vec<String> = sequences().iter().map(|s| format!("{:?}", s.1)).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 64);
    }
}
